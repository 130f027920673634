/** What a test file starts, stopped when the file or the test ends, with its logs shown when a test fails. */
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, onTestFinished } from 'vitest';
import { Baresip, type BaresipOptions } from './baresip.ts';
import type { Program } from './program.ts';
import { RtpPhone } from './rtp.ts';
import { Sipp, type SippOptions } from './sipp.ts';
import { Switch, type SwitchOptions } from './switch.ts';
import { Ua, type UaOptions } from './ua.ts';

/** Lines of each program's log shown after a failed test. */
const TAIL_LINES = 60;

/** One switch for all tests of the file. It must stop in order when they are done. */
export function useSwitch(options: SwitchOptions = {}): () => Switch {
  let instance: Switch | undefined;
  beforeAll(async () => {
    instance = await Switch.start(options);
  });
  beforeEach(() => {
    const from = instance?.program.lines.length ?? 0;
    onTestFailed(() => showTail(instance?.program, from));
  });
  afterAll(async () => {
    const killed = await instance?.stop();
    expect(killed, 'processes of the switch that did not end when it was asked to').toEqual([]);
  });
  return () => instance!;
}

function showTail(program: Program | undefined, from: number): void {
  if (program) console.error(program.tail(Math.min(TAIL_LINES, Math.max(program.lines.length - from, 10))));
}

/** Stops a thing when the test ends, and shows its program's output when the test fails. */
function forTest<T extends { stop: () => Promise<unknown>; program: Program }>(thing: T): T {
  onTestFinished(async () => {
    await thing.stop();
  });
  onTestFailed(() => showTail(thing.program, 0));
  return thing;
}

/** A baresip for this test, registered with the switch. */
export async function phone(at: Switch, options: Omit<BaresipOptions, 'proxy'>): Promise<Baresip> {
  return forTest(await Baresip.start({ ...options, proxy: at.sip }));
}

/** A SIPp run for this test. */
export async function sipp(options: SippOptions): Promise<Sipp> {
  return forTest(await Sipp.start(options));
}

/** A user agent on the wire for this test; takes its registrations back at the end. */
export async function ua(at: Switch, options: Omit<UaOptions, 'proxy'>): Promise<Ua> {
  const agent = await Ua.open({ ...options, proxy: at.sip });
  onTestFinished(() => agent.leave());
  return agent;
}

/** The audio side of a phone on the wire, for this test. */
export async function rtpPhone(): Promise<RtpPhone> {
  const audio = await RtpPhone.open();
  onTestFinished(() => audio.close());
  return audio;
}
