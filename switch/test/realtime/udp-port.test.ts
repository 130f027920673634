import { afterEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { formatAddress, parseAddress } from '../../../wasm-core/host/address.ts';
import { nowUs } from '../../control/clock.ts';
import { openSyscalls } from '../../realtime/udp.ts';
import { DgramUdp } from '../../realtime/udp-dgram.ts';
import { BatchedUdp, type UdpPort } from '../../realtime/udp-port.ts';

const PAYLOAD_BYTES = 512;
const STRIDE = abi.FRAME_HEADER_BYTES + PAYLOAD_BYTES;
const SLOT_PTR = 16_384;
const OUT_PTR = 32_768;
const AREAS = {
  receive: {
    vectorPtr: 0,
    vectorBytes: 4_096,
    slotPtr: SLOT_PTR,
    slotStride: STRIDE,
    headerBytes: abi.FRAME_HEADER_BYTES,
    payloadBytes: PAYLOAD_BYTES,
    slots: 8,
    stamps: true,
  },
  send: { vectorPtr: 4_096, vectorBytes: 4_096 },
};
const TIMEOUT_US = 2_000_000;

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const bytes = Buffer.from(memory.buffer);
const sleeping = new SharedArrayBuffer(64);
const flag = new Int32Array(sleeping);

const kinds: [string, boolean, () => { udp: UdpPort; wake: () => void }][] = [
  [
    'batched',
    process.platform === 'linux',
    () => {
      const sys = openSyscalls();
      const eventFd = sys.eventfdCreate();
      return { udp: new BatchedUdp(memory, AREAS, eventFd), wake: () => sys.eventfdSignal(eventFd) };
    },
  ],
  [
    'dgram',
    true,
    () => ({
      udp: new DgramUdp(memory, AREAS, sleeping),
      wake: () => {
        Atomics.store(flag, 0, 0);
        Atomics.notify(flag, 0);
      },
    }),
  ],
];

for (const [name, here, create] of kinds) {
  describe.runIf(here)(`UDP port, ${name}`, () => {
    const { udp, wake } = create();
    const handles: number[] = [];
    const open = async (address = '127.0.0.1') => {
      const handle = await udp.open(address, 0);
      handles.push(handle);
      return handle;
    };
    afterEach(() => {
      for (const handle of handles.splice(0)) udp.close(handle);
    });
    const add = (i: number, text: string, address: string, port: number) => {
      const at = OUT_PTR + i * 1_024;
      bytes.set(parseAddress(address)!, at);
      return udp.add(at + 16, bytes.write(text, at + 16), at, port);
    };
    const wait = async (timeoutUs = TIMEOUT_US) => {
      Atomics.store(flag, 0, 1);
      await udp.wait(timeoutUs);
    };
    /** Receives until `count` have come. */
    const receive = async (handle: number, count: number) => {
      let received = 0;
      const end = performance.now() + 2_000;
      while (received < count && performance.now() < end) {
        await wait();
        received += udp.receive(handle, received, AREAS.receive.slots - received);
      }
      return received;
    };
    const slot = (i: number) => {
      const at = SLOT_PTR + i * STRIDE;
      const payload = at + abi.FRAME_HEADER_BYTES;
      return {
        text: bytes.toString('utf8', payload, payload + bytes.readUInt32LE(at + abi.F_LENGTH)),
        address: formatAddress(bytes.subarray(at + abi.F_ADDRESS, at + abi.F_ADDRESS + 16)),
        port: bytes.readUInt16LE(at + abi.F_PORT),
      };
    };

    for (const address of ['127.0.0.1', '::1']) {
      it(`passes datagrams on ${address}`, async () => {
        const [from, to] = [await open(address), await open(address)];
        for (let i = 0; i < 3; i++) add(i, `datagram ${i}`, address, udp.localPort(to));
        expect(udp.flush(from)).toBe(0);
        expect(await receive(to, 3)).toBe(3);
        for (let i = 0; i < 3; i++) {
          expect(slot(i)).toEqual({ text: `datagram ${i}`, address, port: udp.localPort(from) });
        }
      });
    }

    it('says when each datagram came, not when it was taken', async () => {
      const [from, to] = [await open(), await open()];
      // The kernel begins to stamp a moment after the first socket of the machine has asked for it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      udp.setClock(nowUs());
      const sentUs = nowUs();
      for (let i = 0; i < 3; i++) add(i, `datagram ${i}`, '127.0.0.1', udp.localPort(to));
      udp.flush(from);
      if (name === 'dgram') await new Promise((resolve) => setTimeout(resolve, 5)); // its loop takes them in
      const arrivedUs = nowUs();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await receive(to, 3)).toBe(3);
      for (let i = 0; i < 3; i++) {
        const us = bytes.readDoubleLE(SLOT_PTR + i * STRIDE + abi.F_TIME);
        expect(us).toBeGreaterThan(sentUs - 1_000);
        expect(us).toBeLessThan(arrivedUs + 1_000);
      }
    });

    it('drops and counts what is larger than a slot', async () => {
      const [from, to] = [await open(), await open()];
      add(0, 'x'.repeat(PAYLOAD_BYTES + 1), '127.0.0.1', udp.localPort(to));
      udp.flush(from);
      expect(await receive(to, 1)).toBe(1);
      expect(slot(0).text).toBe('');
      expect(udp.takeDropped()).toBe(1);
      expect(udp.takeDropped()).toBe(0);
    });

    it('waits for the time given, and no longer than a wake-up', async () => {
      await open();
      let start = performance.now();
      await wait(30_000);
      expect(performance.now() - start).toBeGreaterThanOrEqual(25);
      start = performance.now();
      Atomics.store(flag, 0, 1);
      if (name === 'batched') wake();
      const waiting = udp.wait(TIMEOUT_US);
      if (name === 'dgram') setTimeout(wake, 5);
      await waiting;
      expect(performance.now() - start).toBeLessThan(1_000);
    });

    it('tells later or at once what could not be sent', async () => {
      const [from, to] = [await open(), await open()];
      add(0, 'nowhere', '127.0.0.1', 0);
      add(1, 'somewhere', '127.0.0.1', udp.localPort(to));
      expect(udp.flush(from)).toBe(1);
      expect(await receive(to, 1)).toBe(1);
      expect(slot(0).text).toBe('somewhere');
    });

    it('says which address is taken', async () => {
      const port = udp.localPort(await open());
      await expect(udp.open('127.0.0.1', port)).rejects.toThrow(`127.0.0.1:${port}`);
      await expect(udp.open('localhost', 0)).rejects.toThrow("'localhost' is not an IP address");
    });
  });
}
