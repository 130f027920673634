import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { compileForReplay } from '../../../wasm-core/sim/recording/globals.ts';
import { RecordedCore } from '../../../wasm-core/sim/recording/recorded-core.ts';
import { REC_RESULT, RecordReader } from '../../../wasm-core/sim/recording/records.ts';
import { testBank } from '../../../wasm-core/test/support/driver.ts';
import { trappingCore } from '../../../wasm-core/test/support/trapping-core.ts';
import { effectsOf, replayed, Tape, traffic } from './tape.ts';

const WASM = new Uint8Array(readFileSync(resolve(import.meta.dirname, '../../../build/core.wasm')));
describe('a replay', () => {
  it('does again what was done, byte for byte', async () => {
    const tape = await Tape.start(WASM);
    traffic(tape, 20);
    tape.driver.event(abi.EV_QUERY, { args: [1, abi.QUERY_CALLS, 0, 10] }); // the answer has latencies
    tape.driver.loadBank(testBank({ routes: [] }));
    tape.driver.wait(60_000);
    const result = await replayed(WASM, await tape.file(tape.blocks()));
    expect(result.found).toBeNull();
    expect(result.steps).toBe(tape.intake.steps);
    expect(result.progress.ended).toBe('operator');
    expect([...result.progress.counters!]).toEqual([...tape.driver.core.counters]);
    expect(result.progress.counters![abi.C_CALLS_TOTAL]).toBe(20);
  });

  it('finds a byte that was another one, and names it', async () => {
    const tape = await Tape.start(WASM);
    traffic(tape, 3);
    const blocks = tape.blocks();
    const effects = effectsOf(blocks, 5);
    effects[abi.FRAME_HEADER_BYTES + 20]! += 1;
    const { found } = await replayed(WASM, await tape.file(blocks));
    expect(found!.difference).toMatchObject({
      what: 'effects',
      offset: abi.FRAME_HEADER_BYTES + 20,
      recorded: effects[abi.FRAME_HEADER_BYTES + 20],
      replayed: effects[abi.FRAME_HEADER_BYTES + 20]! - 1,
      frame: 0,
    });
    expect(found!.difference!.recordedFrame).not.toEqual(found!.difference!.replayedFrame);
  });

  it('goes on from the state of a core in the midst of calls', async () => {
    const tape = await Tape.start(WASM);
    traffic(tape, 6);
    const before = tape.blocks();
    const follower = new RecordedCore(await compileForReplay(WASM));
    for (const block of before) {
      const record = new RecordReader(block);
      while (record.next()) expect(follower.take(record)?.difference ?? null).toBeNull();
    }
    traffic(tape, 6);
    tape.driver.wait(60_000);
    const after = tape.blocks().slice(before.length);
    const result = await replayed(WASM, await tape.file([...follower.state(), ...after]));
    expect(result.found).toBeNull();
    expect(result.steps).toBeGreaterThan(20);
    expect([...result.progress.counters!]).toEqual([...tape.driver.core.counters]);
    expect(result.progress.countersBefore![abi.C_CALLS_TOTAL]).toBe(6);
  });

  it('refuses another core, unless it is asked for the differences', async () => {
    const tape = await Tape.start(WASM);
    traffic(tape, 2);
    const file = await tape.file(tape.blocks());
    const other = trappingCore();
    await expect(replayed(other, file)).rejects.toMatchObject({ code: 'core' });
    expect((await replayed(other, file, true)).steps).toBeGreaterThan(0);
  }, 60_000);

  it('ends with the trap that the recording ended with, and names its message', async () => {
    const tape = await Tape.start(trappingCore());
    traffic(tape, 2);
    expect(() => tape.driver.message('TRAP now')).toThrow(WebAssembly.RuntimeError);
    const { found, steps } = await replayed(tape.wasm, await tape.file(tape.blocks(true), 'trap'));
    expect(steps).toBe(tape.intake.steps + 1);
    expect(found!.difference).toBeNull();
    expect(found!.trap).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(new TextDecoder().decode(found!.trapEvent!.subarray(abi.FRAME_HEADER_BYTES))).toBe('TRAP now');
  }, 60_000);

  it('does not do the step again that the core got stuck in', async () => {
    const tape = await Tape.start(trappingCore());
    traffic(tape, 2);
    expect(() => tape.driver.message('TRAP now')).toThrow(WebAssembly.RuntimeError);
    const { found, steps } = await replayed(tape.wasm, await tape.file(tape.blocks(true), 'stuck'));
    expect(steps).toBe(tape.intake.steps + 1);
    expect(found).toMatchObject({ difference: null, taken: 0 });
    expect(found!.trap!.message).toContain('stuck');
    expect(new TextDecoder().decode(found!.events[0]!.subarray(abi.FRAME_HEADER_BYTES))).toBe('TRAP now');
  }, 60_000);

  it('says when a core does not trap where it did', async () => {
    const tape = await Tape.start(trappingCore());
    traffic(tape, 2);
    expect(() => tape.driver.message('TRAP now')).toThrow(WebAssembly.RuntimeError);
    const { found } = await replayed(WASM, await tape.file(tape.blocks(true), 'trap'), true);
    expect(found!.difference!.what).toBe('no-trap');
  }, 60_000);
});

describe('the intake', () => {
  it('cuts blocks only where a step has ended', async () => {
    const tape = await Tape.start(WASM);
    for (let n = 0; n < 60; n++) traffic(tape, 5);
    const blocks = tape.blocks();
    expect(blocks.length).toBeGreaterThan(2);
    for (const block of blocks) {
      const record = new RecordReader(block);
      let last = 0;
      while (record.next()) last = record.kind;
      expect(last).toBe(REC_RESULT);
    }
  });

  it('tells when the ring was full, and what came before can be replayed', async () => {
    const tape = await Tape.start(WASM, { ringBytes: 1 << 17 });
    expect(tape.intake.lost).toBe(0);
    traffic(tape, 200);
    expect(tape.intake.lost).toBeGreaterThan(0);
    expect(tape.intake.drain(Infinity)).toBe(true);
    const { steps } = tape.intake;
    traffic(tape, 5);
    expect(tape.intake.drain(Infinity)).toBe(true);
    expect(tape.intake.steps).toBe(steps);
    const result = await replayed(WASM, await tape.file(tape.blocks(), 'gap'));
    expect(result).toMatchObject({ steps, found: null });
    expect(result.progress.ended).toBe('gap');
  });
});
