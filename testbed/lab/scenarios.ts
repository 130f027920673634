/** Scenarios to begin with. */
import { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_WS } from '../../wasm-core/assembly/abi.ts';
import { busyScenario } from '../../wasm-core/sim/busy.ts';
import { GOOD_LINK, ipOf, ipText } from '../../wasm-core/sim/network.ts';
import {
  type CallSpec,
  type NodeSpec,
  type PhoneSpec,
  type Scenario,
  SCENARIO_VERSION,
} from '../../wasm-core/sim/scenario.ts';

export interface BuiltIn {
  id: string;
  title: string;
  /** One line. */
  text: string;
  make(): Scenario;
}

const FIRST_PHONE_IP = ipOf('10.1.0.1');
const MINUTE_MS = 60_000;

function node(name: string, nth: number, more: Partial<NodeSpec> = {}): NodeSpec {
  return {
    name,
    ip: `10.0.0.${nth}`,
    callsMax: 200,
    transactionsMax: 400,
    bindingsMax: 300,
    anchor: true,
    callDurationMaxS: 600,
    overloadTargetUs: 5_000,
    sourcePerS: 0,
    routes: [],
    media: { delayMs: 2, jitterMs: 3, refusePerMille: 0, silentPerMille: 0 },
    ...more,
  };
}

function phone(nth: number, more: Partial<PhoneSpec> = {}): PhoneSpec {
  return {
    name: `p${nth}`,
    user: String(1000 + nth),
    ip: ipText(FIRST_PHONE_IP + nth - 1),
    port: 5070,
    transport: TRANSPORT_UDP,
    node: 'A',
    expiresS: 300,
    registerAtMs: 100 + 40 * nth,
    answer: { ringMs: 120, answerMs: 2_500, status: 200 },
    hostilePerMille: 0,
    ...more,
  };
}

function scenario(title: string, minutes: number, parts: Partial<Scenario>): Scenario {
  return {
    version: SCENARIO_VERSION,
    title,
    seed: 1,
    durationMs: minutes * MINUTE_MS,
    link: { ...GOOD_LINK, latencyUs: 60_000, jitterUs: 5_000 },
    links: [],
    nodes: [node('A', 1)],
    phones: [],
    calls: [],
    faults: [],
    ...parts,
  };
}

function phones(count: number, more: (nth: number) => Partial<PhoneSpec> = () => ({})): PhoneSpec[] {
  return Array.from({ length: count }, (_, i) => phone(i + 1, more(i + 1)));
}

function call(atMs: number, from: number, to: number | string, more: Partial<CallSpec> = {}): CallSpec {
  return {
    atMs,
    from: `p${from}`,
    to: typeof to === 'string' ? to : String(1000 + to),
    holdMs: 20_000,
    ...more,
  };
}

/** Calls one after another, among all phones in turns. */
function load(
  count: number,
  everyMs: number,
  phoneCount: number,
  holdMs: number,
  fromMs = 6_000,
): CallSpec[] {
  return Array.from({ length: count }, (_, i) => {
    const from = (i * 7) % phoneCount;
    const to = (from + 1 + ((i * 13) % (phoneCount - 1))) % phoneCount;
    return call(fromMs + i * everyMs, from + 1, to + 1, { holdMs });
  });
}

export const BUILT_IN: readonly BuiltIn[] = [
  {
    id: 'two-phones',
    title: 'Two phones and a switch',
    text: 'Two phones register and one calls the other: the whole of a call, message by message.',
    make: () =>
      scenario('Two phones and a switch', 5, {
        phones: phones(2),
        calls: [call(4_000, 1, 2, { holdMs: 30_000 })],
      }),
  },
  {
    id: 'forking',
    title: 'One number, three devices',
    text: '1002 rings on a desk phone, a mobile and a browser. One answers, the others are cancelled.',
    make: () =>
      scenario('One number, three devices', 5, {
        phones: [
          phone(1),
          phone(2, { answer: { ringMs: 150, answerMs: 6_000, status: 200 } }),
          phone(3, {
            user: '1002',
            transport: TRANSPORT_WS,
            answer: { ringMs: 250, answerMs: 3_000, status: 200 },
          }),
          phone(4, {
            user: '1002',
            transport: TRANSPORT_TCP,
            answer: { ringMs: 90, answerMs: 9_000, status: 200 },
          }),
        ],
        calls: [call(4_000, 1, 2), call(40_000, 2, 1), call(75_000, 1, 2, { cancelMs: 1_500 })],
      }),
  },
  {
    id: 'node-dies',
    title: 'The switch dies during a call',
    text: 'Three calls are up, then the switch loses its memory for two seconds. The callers still hang up in order.',
    make: () =>
      scenario('The switch dies during a call', 5, {
        phones: phones(8),
        calls: [
          call(4_000, 1, 5, { holdMs: 40_000 }),
          call(4_800, 2, 6, { holdMs: 44_000 }),
          call(5_600, 3, 7, { holdMs: 48_000 }),
        ],
        faults: [{ kind: 'crash', atMs: 20_000, node: 'A', ms: 2_000, keepsMemory: false }],
      }),
  },
  {
    id: 'two-switches',
    title: 'Two switches and a bad line',
    text: 'Calls between two switches. The line of one phone loses one message in five.',
    make: () => {
      const bad = { ...GOOD_LINK, latencyUs: 80_000, jitterUs: 40_000, lossPerMille: 200 };
      return scenario('Two switches and a bad line', 10, {
        nodes: [
          node('A', 1, { routes: [{ prefix: '81', node: 'B', strip: 2, prepend: '' }] }),
          node('B', 2, { routes: [{ prefix: '80', node: 'A', strip: 2, prepend: '' }] }),
        ],
        phones: phones(12, (nth) => ({ node: nth <= 6 ? 'A' : 'B' })),
        links: [
          { from: 'p2', to: 'A', spec: bad },
          { from: 'A', to: 'p2', spec: bad },
        ],
        calls: [
          ...Array.from({ length: 60 }, (_, i) =>
            i % 2 === 0
              ? call(5_000 + i * 5_000, 1 + (i % 6), `81${1007 + (i % 6)}`)
              : call(5_000 + i * 5_000, 7 + (i % 6), `80${1001 + ((i * 5) % 6)}`),
          ),
        ],
      });
    },
  },
  {
    id: 'storm',
    title: 'A storm',
    text: 'Forty phones, two calls a second, more than the small tables hold, and the network breaks in turns.',
    make: () =>
      scenario('A storm', 5, {
        nodes: [node('A', 1, { callsMax: 24, transactionsMax: 60 })],
        phones: phones(40, (nth) => ({
          transport: [TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_WS, TRANSPORT_TCP][nth % 4]!,
        })),
        calls: load(560, 500, 40, 12_000),
        faults: [
          { kind: 'cut', atMs: 20_000, from: 'p5', to: 'A', ms: 8_000, twoWay: true },
          { kind: 'pause', atMs: 35_000, node: 'A', ms: 1_500 },
          { kind: 'vanish', atMs: 45_000, phone: 'p9', ms: 20_000 },
          { kind: 'media-crash', atMs: 60_000, node: 'A', ms: 4_000 },
          { kind: 'crash', atMs: 90_000, node: 'A', ms: 1_000, keepsMemory: false },
          { kind: 'move', atMs: 120_000, phone: 'p12', ip: '10.9.0.12', port: 5070 },
        ],
      }),
  },
  {
    id: 'hundred-phones',
    title: 'A hundred phones',
    text: 'One switch, a hundred phones, a call a second for ten minutes: the scenario that speed is measured with.',
    make: () => ({ ...busyScenario(1, 10), title: 'A hundred phones' }),
  },
];

export function builtIn(id: string): BuiltIn | undefined {
  return BUILT_IN.find((each) => each.id === id);
}
