import { describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/rtp/abi.ts';
import { allocationBlock, configurationBlock } from '../../edge/blocks.ts';
import type { EdgeLegConfig } from '../../edge/types.ts';

const config: EdgeLegConfig = {
  vouched: ['192.0.2.1', '2001:db8::1', '192.0.2.1'],
  remote: { address: '192.0.2.1', rtpPort: 4_000, rtcpPort: 4_001, rtcpMux: false },
  inSsrc: 0xfedc_ba98,
  inPts: [[0, 100]],
  outPts: [[100, 0]],
  clockRates: [[0, 8_000]],
  mediasoup: { ip: '127.0.0.1', port: 40_000 },
  peer: null,
  latchWindowMs: 1_500,
  sendEnabled: true,
  receiveEnabled: false,
};
const flags = (over: Partial<EdgeLegConfig>) =>
  new DataView(configurationBlock({ ...config, ...over }, null).buffer).getUint32(abi.CFG_FLAGS, true);

describe('configuration block', () => {
  it('has everything at its place', () => {
    const block = configurationBlock(config, 6);
    const view = new DataView(block.buffer);
    expect(view.getUint32(abi.CFG_IN_SSRC, true)).toBe(0xfedc_ba98);
    expect(view.getUint32(abi.CFG_WINDOW_MS, true)).toBe(1_500);
    expect(view.getUint16(abi.CFG_REMOTE_RTP, true)).toBe(4_000);
    expect(view.getUint16(abi.CFG_REMOTE_RTCP, true)).toBe(4_001);
    expect([...block.subarray(abi.CFG_REMOTE + 10, abi.CFG_REMOTE + 16)]).toEqual([255, 255, 192, 0, 2, 1]);
    expect(view.getUint16(abi.CFG_MEDIASOUP_PORT, true)).toBe(40_000);
    expect(view.getUint32(abi.CFG_PEER, true)).toBe(7); // 0 is none
    expect(view.getUint16(abi.CFG_VOUCHED_COUNT, true)).toBe(2); // without the repetition
    expect(block[abi.CFG_VOUCHED + 16]).toBe(0x20);
    expect(block[abi.CFG_IN_PT]).toBe(100);
    expect(block[abi.CFG_IN_PT + 1]).toBe(abi.PT_NONE);
    expect(block[abi.CFG_OUT_PT + 100]).toBe(0);
    expect(view.getUint32(abi.CFG_CLOCK, true)).toBe(8_000);
    expect(flags({})).toBe(abi.CFGF_SEND | abi.CFGF_REMOTE | abi.CFGF_MEDIASOUP);
  });

  it('takes a remote of 0.0.0.0 for none', () => {
    const remote = { address: '0.0.0.0', rtpPort: 4_000, rtcpPort: 4_001, rtcpMux: true };
    expect(flags({ remote })).toBe(abi.CFGF_SEND | abi.CFGF_MEDIASOUP);
    expect(flags({ remote: { ...remote, address: '::' } })).toBe(abi.CFGF_SEND | abi.CFGF_MEDIASOUP);
  });

  it('names what is out of range', () => {
    const refused: [Partial<EdgeLegConfig>, string][] = [
      [{ inSsrc: 2 ** 32 }, 'inSsrc 4294967296'],
      [{ latchWindowMs: -1 }, 'latchWindowMs -1'],
      [{ inPts: [[0, 128]] }, 'inPts 128'],
      [{ outPts: [[-1, 0]] }, 'outPts -1'],
      [{ clockRates: [[0, 0]] }, 'clock rate 0'],
      [{ clockRates: [[200, 8_000]] }, 'clockRates 200'],
      [{ remote: { ...config.remote!, rtpPort: 0 } }, 'rtpPort 0'],
      [{ remote: { ...config.remote!, rtcpPort: 65_536 } }, 'rtcpPort 65536'],
      [{ remote: { ...config.remote!, address: 'host' } }, "remote 'host'"],
      [{ mediasoup: { ip: '', port: 1 } }, "mediasoup ''"],
      [{ vouched: Array.from({ length: 9 }, (_, i) => `192.0.2.${i}`) }, 'vouched addresses 9'],
    ];
    for (const [over, message] of refused)
      expect(() => configurationBlock({ ...config, ...over }, null)).toThrow(message);
  });
});

describe('allocation block', () => {
  it('is different each time, with a CNAME that can be printed', () => {
    const blocks = Array.from({ length: 50 }, allocationBlock);
    const cname = (block: Uint8Array) =>
      Buffer.from(block.subarray(abi.ALLOC_CNAME, abi.ALLOC_CNAME + abi.CNAME_BYTES)).toString('latin1');
    expect(blocks.every((block) => /^[A-Za-z0-9+/]{16}$/.test(cname(block)))).toBe(true);
    expect(new Set(blocks.map(cname)).size).toBe(50);
    expect(
      new Set(blocks.map((block) => new DataView(block.buffer).getUint32(abi.ALLOC_SSRC, true))).size,
    ).toBe(50);
  });
});
