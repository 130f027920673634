/**
 * `npm run sim:defects`: plants one defect after the other into the core and looks for it with up to 1,000 seeds. Ends with 0 when all
 * were found.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDefect } from '../defects/build.ts';
import { type Defect, DEFECTS } from '../defects/defects.ts';
import { type Outcome, play } from '../play.ts';
import { writeScenario } from '../scenario-file.ts';
import { shrink } from '../shrink.ts';
import { drawScenario } from '../swarm.ts';
import { runFresh } from './fresh.ts';

const USAGE = `npm run sim:defects -- [NAME...] [options]

  --seeds N    seeds for each defect at the most (default: 1000)
  --from S     the first seed (default: 1)
  --keep DIR   writes a shrunk scenario for each that was found
  --json       one JSON document at the end, progress to standard error
  --list       the defects
`;
const EXIT_MISSED = 1;
const EXIT_USAGE = 2;

interface Finding {
  defect: string;
  what: string;
  /** Undefined: not found. */
  checker?: string;
  /** Seeds that were needed. */
  seeds: number;
  seconds: number;
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      keep: { type: 'string' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  for (const name of positionals) {
    if (!DEFECTS.some((defect) => defect.name === name)) throw new Error(`no defect "${name}" (--list)`);
  }
  for (const name of ['seeds', 'from'] as const) {
    if (!Number.isSafeInteger(Number(values[name])) || Number(values[name]) < 0)
      throw new Error(`--${name}: "${values[name]}" is no such number`);
  }
  return { ...values, names: positionals };
}

async function main(options: ReturnType<typeof readArguments>): Promise<number> {
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.list) {
    for (const { name, what } of DEFECTS) console.log(`${name.padEnd(28)}${what}`);
    return 0;
  }
  const say = options.json ? console.error : console.log;
  const findings: Finding[] = [];
  const wanted = DEFECTS.filter(({ name }) => options.names.length === 0 || options.names.includes(name));
  for (const defect of wanted) {
    const wasm = buildDefect(defect);
    const { totals, failed } = await runFresh(wasm, Number(options.from), { seeds: Number(options.seeds) });
    const seeds = failed === undefined ? totals.seeds : failed.seed - Number(options.from) + 1;
    if (failed?.failure && options.keep) keep(options.keep, defect, failed, wasm);
    findings.push({
      defect: defect.name,
      what: defect.what,
      ...(failed?.failure && { checker: failed.failure.checker }),
      seeds,
      seconds: totals.seconds,
    });
    const how = failed?.failure
      ? `${failed.failure.checker} at seed ${failed.seed}, the ${seeds}. that was played (${failed.failure.text})`
      : `NOT FOUND in ${seeds} seeds`;
    say(`${defect.name.padEnd(28)}${how}, ${Math.round(totals.seconds)} s`);
  }
  const found = findings.filter(({ checker }) => checker !== undefined).length;
  say(`${found} of ${findings.length} defects found`);
  if (options.json) console.log(JSON.stringify({ found, of: findings.length, findings }, null, 2));
  return found === findings.length ? 0 : EXIT_MISSED;
}

/** Writes a small scenario that shows the defect. */
function keep(folder: string, defect: Defect, found: Outcome, wasm: Uint8Array<ArrayBuffer>): void {
  const module = new WebAssembly.Module(wasm);
  const scenario = drawScenario(found.seed);
  const small = shrink(scenario, found.failure!, (candidate) => play(candidate, module).failure);
  const title = `${defect.name}: ${defect.what} (${small.failure.checker})`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${defect.name}.json`), writeScenario({ ...small.scenario, title }));
}

let options: ReturnType<typeof readArguments> | undefined;
try {
  options = readArguments();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
if (options) process.exitCode = await main(options);
