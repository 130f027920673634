/**
 * What a load run can be told. One table for the command line (`npm run load -- ramp --rate 50`) and for k6's
 * environment (`k6 run -e RATE=50 ramp.ts`). Used by Node and by k6, so it imports neither.
 */

interface Setting {
  /** What follows the flag in the help. */
  value: string;
  what: string;
  /** Where a script has no default of its own. */
  fallback: string;
}

export const SETTINGS = {
  target: {
    value: 'URL',
    what: 'WebSocket of the switch; npm run load starts one of its own by default',
    fallback: 'ws://127.0.0.1:8080/sip',
  },
  rate: { value: 'N', what: 'calls (register: users) per second at the most', fallback: '10' },
  duration: { value: 'TIME', what: 'how long load is offered, such as 500ms, 30s, 10m, 8h', fallback: '10s' },
  hold: { value: 'TIME', what: 'from the answer of a call to its BYE', fallback: '0s' },
  'answer-delay': { value: 'TIME', what: 'the called side waits so long before its 180', fallback: '0s' },
  'budget-scale': { value: 'FACTOR', what: 'all latency budgets times this', fallback: '1' },
  digest: {
    value: 'NAME',
    what: 'sha-256 or md5; both: callers prefer SHA-256, called sides MD5',
    fallback: 'both',
  },
  domain: { value: 'HOST', what: 'SIP domain of the users', fallback: 'strowger.test' },
  users: { value: 'FIRST-LAST', what: 'the users, each a number', fallback: '1000000-1099999' },
  password: {
    value: 'TEXT',
    what: 'their password, in which <user> is the number',
    fallback: 'bench-<user>',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** Name of a setting in k6's environment: `answer-delay` is ANSWER_DELAY. */
export function variable(name: SettingName): string {
  return name.toUpperCase().replaceAll('-', '_');
}

/** Preference of digest algorithms. */
export type DigestChoice = 'both' | 'sha-256' | 'md5';

export interface Settings {
  target: string;
  ratePerS: number;
  durationS: number;
  holdMs: number;
  answerDelayMs: number;
  budgetScale: number;
  digest: DigestChoice;
  domain: string;
  firstUser: number;
  /** At least 2. */
  userCount: number;
  password: string;
}

/**
 * Reads the environment of k6.
 * @param defaults of a script, where they differ from the table
 * @throws Error naming the variable that makes no sense
 */
export function readSettings(
  env: Record<string, string | undefined>,
  defaults: Partial<Record<SettingName, string>> = {},
): Settings {
  const text = (name: SettingName) => env[variable(name)] || defaults[name] || SETTINGS[name].fallback;
  const read = <T>(name: SettingName, parse: (text: string) => T | undefined): T => {
    const value = parse(text(name));
    if (value === undefined)
      throw new Error(`${variable(name)}: "${text(name)}" is not ${SETTINGS[name].value}`);
    return value;
  };
  const users = read('users', parseRange);
  return {
    target: read('target', (url) => (/^wss?:\/\/./.test(url) ? url : undefined)),
    ratePerS: read('rate', parsePositive),
    durationS: read('duration', (time) => parseTimeMs(time) || undefined) / 1000,
    holdMs: read('hold', parseTimeMs),
    answerDelayMs: read('answer-delay', parseTimeMs),
    budgetScale: read('budget-scale', parsePositive),
    digest: read('digest', parseDigest),
    domain: text('domain'),
    firstUser: users.first,
    userCount: users.count,
    password: text('password'),
  };
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `1.5s`, `10m`, `8h`: ms; undefined for anything else. */
export function parseTimeMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined;
}

function parsePositive(text: string): number | undefined {
  const value = Number(text);
  return value > 0 && Number.isFinite(value) ? value : undefined;
}

function parseRange(text: string): { first: number; count: number } | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const count = Number(match[2]) - first + 1;
  return count >= 2 ? { first, count } : undefined;
}

function parseDigest(text: string): DigestChoice | undefined {
  return text === 'both' || text === 'sha-256' || text === 'md5' ? text : undefined;
}
