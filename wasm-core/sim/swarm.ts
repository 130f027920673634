/**
 * Scenarios by seed. Each seed first draws what it is about (which kinds of phones, load and faults occur in it, and how
 * much of each: swarm testing, Groce et al. 2012), then the details. So that rare combinations occur, some seeds have nearly nothing
 * in them and some nearly everything.
 */
import { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_WS } from '../assembly/abi.ts';
import { GOOD_LINK, ipOf, ipText, type LinkSpec } from './network.ts';
import { Random } from './random.ts';
import {
  type AnswerSpec,
  type CallSpec,
  type FaultKind,
  type FaultSpec,
  type NodeSpec,
  type PhoneSpec,
  type Scenario,
  SCENARIO_VERSION,
} from './scenario.ts';

/** Load of a scenario by default, minutes of virtual time. */
const MINUTES = 20;
const FIRST_PHONE_IP = ipOf('10.1.0.1');
const FIRST_MOVED_IP = ipOf('10.9.0.1');
const FIRST_USER = 1001;
const PHONE_PORT = 5070;
const PHONES_MAX = 24;

const LINKS: readonly LinkSpec[] = [
  GOOD_LINK,
  { ...GOOD_LINK, latencyUs: 200, jitterUs: 100 },
  { ...GOOD_LINK, latencyUs: 40_000, jitterUs: 30_000, slowPerMille: 20, lossPerMille: 5 },
  { ...GOOD_LINK, latencyUs: 10_000, jitterUs: 150_000, duplicatePerMille: 50, lossPerMille: 20 },
  { ...GOOD_LINK, latencyUs: 20_000, jitterUs: 20_000, lossPerMille: 150, duplicatePerMille: 20 },
  { ...GOOD_LINK, latencyUs: 300_000, jitterUs: 100_000, slowPerMille: 50, lossPerMille: 30 },
  { ...GOOD_LINK, latencyUs: 15_000, jitterUs: 5_000, bytesPerS: 64_000 },
  { ...GOOD_LINK, latencyUs: 5_000, jitterUs: 2_000, mtu: 1_280 },
];
/** What a link is while it is slow. */
const SLOW: readonly LinkSpec[] = [
  { ...GOOD_LINK, latencyUs: 900_000, jitterUs: 600_000 },
  { ...GOOD_LINK, latencyUs: 50_000, jitterUs: 50_000, lossPerMille: 400 },
  { ...GOOD_LINK, latencyUs: 50_000, jitterUs: 20_000, bytesPerS: 4_000 },
];
const FAULTS: readonly FaultKind[] = [
  'crash',
  'pause',
  'clock-jump',
  'clock-rate',
  'reload',
  'drain',
  'media-crash',
  'cut',
  'slow',
  'vanish',
  'move',
  'hangup',
];
const FAILURES = [480, 486, 603, 404, 500, 503, 302] as const;
const EXPIRES_S = [60, 120, 300, 600] as const;

export interface SwarmOptions {
  /** Of load, virtual time; then comes what is needed for everything to end. Default 20. */
  minutes?: number;
}

/**
 * The scenario of a seed.
 * @param seed  0 to 2^53 - 1
 */
export function drawScenario(seed: number, { minutes = MINUTES }: SwarmOptions = {}): Scenario {
  const random = new Random(seed, 'swarm');
  const durationMs = Math.max(1, Math.round(minutes * 60_000));
  const nodes = drawNodes(random);
  const phones = drawPhones(random, nodes);
  return {
    version: SCENARIO_VERSION,
    title: '',
    seed,
    durationMs,
    link: random.pick(LINKS),
    links: drawLinks(random, nodes, phones),
    nodes,
    phones,
    calls: drawCalls(random, phones, durationMs),
    faults: drawFaults(random, nodes, phones, durationMs),
  };
}

/** A part of a swarm: in half of the seeds not at all, else in up to `most` of 1,000 cases. */
function some(random: Random, most: number): number {
  return random.chance(500) ? 0 : random.between(1, most);
}

function drawNodes(random: Random): NodeSpec[] {
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  const names = ['A', 'B', 'C'].slice(0, count);
  return names.map((name, i) => {
    const small = random.chance(200);
    return {
      name,
      ip: `10.0.0.${i + 1}`,
      callsMax: small ? random.between(2, 6) : 200,
      transactionsMax: small ? random.between(2, 8) : 400,
      bindingsMax: random.chance(100) ? random.between(3, 12) : 200,
      anchor: random.chance(500),
      callDurationMaxS: random.pick([120, 300, 600]),
      overloadTargetUs: random.chance(800) ? 5_000 : 0,
      sourcePerS: random.chance(200) ? random.between(2, 20) : 0,
      routes: names
        .filter((other) => other !== name)
        .map((other) => ({ prefix: `8${names.indexOf(other)}`, node: other, strip: 2, prepend: '' })),
      media: {
        delayMs: random.between(1, 20),
        jitterMs: random.pick([0, 10, 200, 2_500]),
        refusePerMille: some(random, 100),
        silentPerMille: some(random, 50),
      },
    };
  });
}

function drawAnswer(random: Random, failPerMille: number): AnswerSpec {
  const ringMs = random.pick([0, 50, 200, 1_000, 3_000]);
  const answerMs = ringMs + random.pick([0, 0, 300, 2_000, 10_000, 40_000]);
  return { ringMs, answerMs, status: random.chance(failPerMille) ? random.pick(FAILURES) : 200 };
}

function drawPhones(random: Random, nodes: readonly NodeSpec[]): PhoneSpec[] {
  const count = random.between(2, random.chance(700) ? 8 : PHONES_MAX);
  const devicesPerMille = some(random, 500);
  const streamsPerMille = some(random, 700);
  const hostilePerMille = some(random, 300);
  const failPerMille = some(random, 400);
  const lateMs = random.pick([1_000, 5_000, 120_000]);
  const phones: PhoneSpec[] = [];
  let users = 0;
  for (let i = 0; i < count; i++) {
    const another = users > 0 && random.chance(devicesPerMille);
    const user = String(FIRST_USER + (another ? random.below(users) : users++));
    // Devices of a user share a node: there is no cluster yet that would share bindings.
    const node = nodes[(Number(user) - FIRST_USER) % nodes.length]!.name;
    phones.push({
      name: `p${i + 1}`,
      user,
      ip: ipText(FIRST_PHONE_IP + i),
      port: PHONE_PORT,
      transport: random.chance(streamsPerMille) ? random.pick([TRANSPORT_TCP, TRANSPORT_WS]) : TRANSPORT_UDP,
      node,
      expiresS: random.pick(EXPIRES_S),
      ...(random.chance(300) && { q: random.pick([0.1, 0.5, 0.5, 1]) }),
      registerAtMs: random.chance(30) ? -1 : random.below(lateMs),
      answer: drawAnswer(random, failPerMille),
      hostilePerMille: random.chance(hostilePerMille) ? random.between(50, 500) : 0,
    });
  }
  return phones;
}

function drawLinks(
  random: Random,
  nodes: readonly NodeSpec[],
  phones: readonly PhoneSpec[],
): Scenario['links'] {
  if (random.chance(600)) return [];
  return phones
    .filter(() => random.chance(300))
    .flatMap(({ name }) => {
      const spec = random.pick(LINKS);
      const node = random.pick(nodes).name;
      const both = random.chance(700);
      return [{ from: name, to: node, spec }, ...(both ? [{ from: node, to: name, spec }] : [])];
    });
}

/** What is dialled to reach a user: with the prefix of the other node where it isn't the caller's own. */
function numberOf(from: PhoneSpec, to: PhoneSpec): string {
  return from.node === to.node ? to.user : `8${'ABC'.indexOf(to.node)}${to.user}`;
}

function drawCalls(random: Random, phones: readonly PhoneSpec[], durationMs: number): CallSpec[] {
  const everyMs = random.pick([800, 3_000, 10_000, 30_000]);
  const [cancel, calleeBye, reinvite, calleeReinvite, loseAck, nobody] = [500, 500, 300, 300, 100, 100].map(
    (most) => some(random, most),
  ) as [number, number, number, number, number, number];
  const holds = random.pick([[500], [5_000, 20_000], [100, 60_000, 200_000], [0, 1, 30_000]] as const);
  const calls: CallSpec[] = [];
  for (let atMs = random.below(everyMs); atMs < durationMs; atMs += 1 + random.below(2 * everyMs)) {
    const from = random.pick(phones);
    const to = random.pick(phones);
    calls.push({
      atMs,
      from: from.name,
      to: random.chance(nobody) ? random.pick(['1999', '7', '99999', '81']) : numberOf(from, to),
      holdMs: random.pick(holds) + random.below(1_000),
      ...(random.chance(calleeBye) && { calleeByeMs: random.below(20_000) }),
      ...(random.chance(cancel) && { cancelMs: random.pick([0, 10, 60, 300, 2_000, 10_000]) }),
      ...(random.chance(reinvite) && { reinviteMs: random.pick([0, 200, 3_000]) }),
      ...(random.chance(calleeReinvite) && { calleeReinviteMs: random.pick([0, 200, 3_000]) }),
      ...(random.chance(loseAck) && { loseAck: true }),
    });
  }
  return calls;
}

function drawFaults(
  random: Random,
  nodes: readonly NodeSpec[],
  phones: readonly PhoneSpec[],
  durationMs: number,
): FaultSpec[] {
  const kinds = FAULTS.filter(() => random.chance(300));
  if (kinds.length === 0 || random.chance(200)) return [];
  const everyMs = random.pick([20_000, 60_000, 300_000]);
  const faults: FaultSpec[] = [];
  let moved = 0;
  for (let atMs = random.below(2 * everyMs); atMs < durationMs; atMs += 1 + random.below(2 * everyMs)) {
    faults.push(drawFault(random, random.pick(kinds), atMs, nodes, phones, () => moved++));
  }
  return faults;
}

function drawFault(
  random: Random,
  kind: FaultKind,
  atMs: number,
  nodes: readonly NodeSpec[],
  phones: readonly PhoneSpec[],
  nextMoved: () => number,
): FaultSpec {
  const node = random.pick(nodes).name;
  const phone = random.pick(phones).name;
  const ms = random.pick([50, 500, 3_000, 20_000, 90_000]);
  const [from, to] = random.chance(500) ? [phone, node] : [node, phone];
  switch (kind) {
    case 'crash':
      return { kind, atMs, node, ms, keepsMemory: random.chance(500) };
    case 'clock-jump':
      return { kind, atMs, node, byMs: random.pick([-60_000, -500, 500, 5_000, 60_000]) };
    case 'clock-rate':
      return { kind, atMs, node, ms, rate: random.pick([0.5, 0.9, 1.1, 2]) };
    case 'reload':
      return { kind, atMs, node };
    case 'pause':
    case 'drain':
    case 'media-crash':
      return { kind, atMs, node, ms };
    case 'cut':
      return { kind, atMs, from, to, ms, twoWay: random.chance(500) };
    case 'slow':
      return { kind, atMs, from, to, ms, spec: random.pick(SLOW) };
    case 'vanish':
      return { kind, atMs, phone, ms };
    case 'move':
      return { kind, atMs, phone, ip: ipText(FIRST_MOVED_IP + nextMoved()), port: PHONE_PORT };
    case 'hangup':
      return { kind, atMs, node, nth: random.below(3) };
  }
}
