/** Scenarios as files: JSON, read with errors that say where something is wrong. */
import { ipOf, ipText } from './network.ts';
import { type Scenario, SCENARIO_VERSION } from './scenario.ts';

/** Thrown for a file that is no scenario. */
export class ScenarioError extends Error {
  override name = 'ScenarioError';
}

type Fields = Record<string, unknown>;

const LINK = [
  'latencyUs',
  'jitterUs',
  'slowPerMille',
  'lossPerMille',
  'duplicatePerMille',
  'bytesPerS',
  'mtu',
];
const MEDIA = ['delayMs', 'jitterMs', 'refusePerMille', 'silentPerMille'];
const NODE = [
  'callsMax',
  'transactionsMax',
  'bindingsMax',
  'callDurationMaxS',
  'overloadTargetUs',
  'sourcePerS',
];
const PHONE = ['port', 'transport', 'expiresS', 'hostilePerMille'];
/** Numbers that each kind of fault has, apart from its moment; and names, of nodes or phones. */
const FAULTS: Record<string, { numbers: string[]; names: string[] }> = {
  crash: { numbers: ['ms'], names: ['node'] },
  pause: { numbers: ['ms'], names: ['node'] },
  'clock-jump': { numbers: ['byMs'], names: ['node'] },
  'clock-rate': { numbers: ['ms', 'rate'], names: ['node'] },
  reload: { numbers: [], names: ['node'] },
  drain: { numbers: ['ms'], names: ['node'] },
  'media-crash': { numbers: ['ms'], names: ['node'] },
  cut: { numbers: ['ms'], names: ['from', 'to'] },
  slow: { numbers: ['ms'], names: ['from', 'to'] },
  vanish: { numbers: ['ms'], names: ['phone'] },
  move: { numbers: ['port'], names: ['phone'] },
  hangup: { numbers: ['nth'], names: ['node'] },
};

function fail(where: string, what: string): never {
  throw new ScenarioError(`${where}: ${what}`);
}

function fields(where: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(where, 'must be an object');
  return value as Fields;
}

function list(where: string, value: unknown): Fields[] {
  if (!Array.isArray(value)) fail(where, 'must be a list');
  return value.map((item, i) => fields(`${where}[${i}]`, item));
}

function numbers(where: string, of: Fields, names: readonly string[]): void {
  for (const name of names) {
    if (typeof of[name] !== 'number' || !Number.isFinite(of[name]))
      fail(`${where}.${name}`, 'must be a number');
  }
}

function texts(where: string, of: Fields, names: readonly string[]): void {
  for (const name of names) if (typeof of[name] !== 'string') fail(`${where}.${name}`, 'must be a text');
}

function ip(where: string, value: unknown): void {
  if (typeof value !== 'string' || ipText(ipOf(value)) !== value) fail(where, 'must be an IPv4 address');
}

/**
 * Reads a scenario.
 * @throws ScenarioError, which says where it is wrong
 */
export function readScenario(text: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail('scenario', `is not JSON: ${(error as Error).message}`);
  }
  const all = fields('scenario', value);
  if (all['version'] !== SCENARIO_VERSION) fail('version', `must be ${SCENARIO_VERSION}`);
  texts('scenario', all, ['title']);
  numbers('scenario', all, ['seed', 'durationMs']);
  numbers('link', fields('link', all['link']), LINK);
  for (const [i, node] of list('nodes', all['nodes']).entries()) checkNode(`nodes[${i}]`, node);
  for (const [i, phone] of list('phones', all['phones']).entries()) checkPhone(`phones[${i}]`, phone);
  for (const [i, link] of list('links', all['links']).entries()) {
    texts(`links[${i}]`, link, ['from', 'to']);
    numbers(`links[${i}].spec`, fields(`links[${i}].spec`, link['spec']), LINK);
  }
  for (const [i, call] of list('calls', all['calls']).entries()) {
    texts(`calls[${i}]`, call, ['from', 'to']);
    numbers(`calls[${i}]`, call, ['atMs', 'holdMs']);
  }
  for (const [i, fault] of list('faults', all['faults']).entries()) checkFault(`faults[${i}]`, fault);
  return value as Scenario;
}

function checkNode(where: string, node: Fields): void {
  texts(where, node, ['name', 'ip']);
  ip(`${where}.ip`, node['ip']);
  numbers(where, node, NODE);
  numbers(`${where}.media`, fields(`${where}.media`, node['media']), MEDIA);
  for (const [i, route] of list(`${where}.routes`, node['routes']).entries()) {
    texts(`${where}.routes[${i}]`, route, ['prefix', 'node', 'prepend']);
    numbers(`${where}.routes[${i}]`, route, ['strip']);
  }
}

function checkPhone(where: string, phone: Fields): void {
  texts(where, phone, ['name', 'user', 'ip', 'node']);
  ip(`${where}.ip`, phone['ip']);
  numbers(where, phone, [...PHONE, 'registerAtMs']);
  const answer = fields(`${where}.answer`, phone['answer']);
  numbers(`${where}.answer`, answer, ['ringMs', 'answerMs', 'status']);
}

function checkFault(where: string, fault: Fields): void {
  const kind = FAULTS[String(fault['kind'])];
  if (kind === undefined) fail(`${where}.kind`, `must be one of ${Object.keys(FAULTS).join(', ')}`);
  numbers(where, fault, ['atMs', ...kind.numbers]);
  texts(where, fault, kind.names);
  if (fault['kind'] === 'move') ip(`${where}.ip`, fault['ip']);
  if (fault['kind'] === 'slow') numbers(`${where}.spec`, fields(`${where}.spec`, fault['spec']), LINK);
}

export function writeScenario(scenario: Scenario): string {
  return `${JSON.stringify(scenario, null, 2)}\n`;
}
