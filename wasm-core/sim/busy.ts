/** A plain busy network to measure speed with: one node, a hundred phones, a call a second. */
import { TRANSPORT_UDP } from '../assembly/abi.ts';
import { GOOD_LINK, ipOf, ipText } from './network.ts';
import { Random } from './random.ts';
import { type PhoneSpec, type Scenario, SCENARIO_VERSION } from './scenario.ts';

const PHONES = 100;
const FIRST_USER = 1001;
const FIRST_IP = ipOf('10.1.0.1');
const CALL_EVERY_MS = 1_000;

/** @param minutes  of load */
export function busyScenario(seed: number, minutes: number): Scenario {
  const random = new Random(seed, 'busy');
  const phones = Array.from(
    { length: PHONES },
    (_, i): PhoneSpec => ({
      name: `p${i + 1}`,
      user: String(FIRST_USER + i),
      ip: ipText(FIRST_IP + i),
      port: 5070,
      transport: TRANSPORT_UDP,
      node: 'A',
      expiresS: 600,
      registerAtMs: random.below(10_000),
      answer: { ringMs: 100, answerMs: 2_000, status: 200 },
      hostilePerMille: 0,
    }),
  );
  const durationMs = Math.round(minutes * 60_000);
  const calls = Array.from({ length: Math.floor(durationMs / CALL_EVERY_MS) }, (_, i) => ({
    atMs: i * CALL_EVERY_MS,
    from: random.pick(phones).name,
    to: random.pick(phones).user,
    holdMs: 10_000,
  }));
  const media = { delayMs: 1, jitterMs: 1, refusePerMille: 0, silentPerMille: 0 };
  const sizes = { callsMax: 500, transactionsMax: 1_000, bindingsMax: 200, callDurationMaxS: 600 };
  const limits = { overloadTargetUs: 5_000, sourcePerS: 0 };
  return {
    version: SCENARIO_VERSION,
    title: 'one node, a hundred phones, a call a second',
    seed,
    durationMs,
    link: GOOD_LINK,
    links: [],
    nodes: [{ name: 'A', ip: '10.0.0.1', ...sizes, ...limits, anchor: true, routes: [], media }],
    phones,
    calls,
    faults: [],
  };
}
