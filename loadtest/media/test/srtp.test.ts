import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { SrtpReader } from '../srtp.ts';

/** RFC 3711 B.3: master key and salt of the key derivation test vectors. */
const KEYS = {
  key: Buffer.from('E1F97A0D3E018BE0D64FA32C06DE4139', 'hex'),
  salt: Buffer.from('0EC675AD498AFEEBB6960B3AABE6', 'hex'),
};
const PAYLOAD = Buffer.from('twenty bytes of text');

/** `PAYLOAD` encrypted with the session key and salt that the RFC gives, by the packet's index. */
function packet(sequence: number, rollovers: number): Buffer {
  const iv = Buffer.from('30CBBC08863D8C85D49DB34A9AE10000', 'hex');
  const index = Buffer.alloc(16);
  index.writeUInt32BE(0x11223344, 4);
  index.writeUInt32BE(rollovers, 8);
  index.writeUInt16BE(sequence, 12);
  for (let i = 0; i < 16; i++) iv[i]! ^= index[i]!;
  const key = Buffer.from('C61E7A93744F39EE10734AFE3FF7A087', 'hex');
  const head = Buffer.from('90000000000000a011223344bede000110300000', 'hex');
  head.writeUInt16BE(sequence, 2);
  return Buffer.concat([head, createCipheriv('aes-128-ctr', key, iv).update(PAYLOAD), Buffer.alloc(10)]);
}

test('a payload is read with keys derived as the RFC has it', () => {
  expect(new SrtpReader(KEYS).payload(packet(7, 0))).toEqual(PAYLOAD);
});

test('sequence numbers may begin again, and packets may be late', () => {
  const reader = new SrtpReader(KEYS);
  for (const [sequence, rollovers] of [
    [0xfffe, 0],
    [0x0000, 1],
    [0xffff, 0],
    [0x0001, 1],
  ] as const) {
    expect(reader.payload(packet(sequence, rollovers))).toEqual(PAYLOAD);
  }
});

test('what is too short is empty', () => {
  expect(new SrtpReader(KEYS).payload(Buffer.alloc(15, 0x80))).toHaveLength(0);
});
