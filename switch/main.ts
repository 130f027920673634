/** The program: reads the configuration and supervises the processes of the switch. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from './control/config/errors.ts';
import { type LoadedConfig, loadConfig } from './control/config/load.ts';
import { countUsers } from './control/config/users.ts';
import { createLogger } from './control/log.ts';
import { Supervisor } from './supervisor/supervisor.ts';

const USAGE = `Usage: strowger [--config FILE] [--check]
  --config FILE  configuration; default: STROWGER_CONFIG, else config/demo.yaml
  --check        only check the configuration
  --help         show this
Signals: SIGINT, SIGTERM drain and stop (twice: at once); SIGHUP reads users, trunks and routes again; SIGUSR2 lets the
standby take over.
`;
const EXIT_USAGE = 2;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Arguments {
  config: string;
  check: boolean;
  help: boolean;
}

/** @throws TypeError for what is not an option. */
function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      check: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const fallback = resolve(import.meta.dirname, '../config/demo.yaml');
  const config = values.config ?? (process.env['STROWGER_CONFIG'] || fallback);
  return { config, check: values.check ?? false, help: values.help ?? false };
}

function reportCheck({ config, file }: LoadedConfig): void {
  print(
    `${file}: good (${countUsers(config)} users, ${config.trunks.length} trunks, ${config.routes.length} routes)`,
  );
}

function runSupervised(loaded: LoadedConfig): Promise<number> {
  const log = createLogger(loaded.config.logs, `${loaded.config.name}-supervisor`);
  const supervisor = new Supervisor(loaded, log, print);
  const stop = (): void => void supervisor.stop();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', () => supervisor.reload());
  process.on('SIGUSR2', () => supervisor.switchOver());
  supervisor.start();
  return supervisor.finished;
}

async function main(): Promise<number> {
  let options: Arguments;
  try {
    options = readArguments();
  } catch (error) {
    complain(`${(error as Error).message}\n${USAGE}`);
    return EXIT_USAGE;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    const loaded = await loadConfig(options.config);
    if (!options.check) return await runSupervised(loaded);
    reportCheck(loaded);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    complain(error.message);
    return EXIT_USAGE;
  }
}

process.exit(await main());
