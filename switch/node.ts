/** The node process: waits for the supervisor's start message, runs one signalling node, drains when told to. */
import { ConfigError } from './control/config/errors.ts';
import { loadConfig } from './control/config/load.ts';
import { createLogger, type Logger } from './control/log.ts';
import { connectMedia } from './control/media-start.ts';
import { startRealtime, userBank } from './control/realtime-start.ts';
import { SwitchNode } from './control/switch-node.ts';
import type { FromNode, StartNode, ToNode } from './supervisor/messages.ts';

const EXIT_FAILED = 3;
const EXIT_STUCK = 4;

/** Tells the supervisor; resolves when the message has left. */
function tell(message: FromNode): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

/** Reads users, trunks and routes again; everything else needs a restart. */
async function reload(
  start: StartNode,
  setBank: (bank: SharedArrayBuffer) => Promise<void>,
): Promise<FromNode> {
  try {
    const { config } = await loadConfig(start.configFile);
    await setBank(userBank(config));
    return { type: 'reloaded', message: 'users, trunks, routes and trusted networks are as in the file now' };
  } catch (error) {
    return { type: 'refused', message: (error as Error).message };
  }
}

async function run(start: StartNode): Promise<void> {
  const loaded = await loadConfig(start.configFile);
  const log = createLogger(loaded.config.logs, loaded.config.name);
  logFatal(log);
  const realtime = await startRealtime(loaded, start.secret, log);
  const media = start.mediaSocket === null ? null : connectMedia(start.mediaSocket, loaded.config.name, log);
  const stuck = (): void => process.exit(EXIT_STUCK);
  const node = new SwitchNode({ loaded, realtime, media, token: start.token, log, stuck });
  let ending = false;
  const end = async (drain: boolean): Promise<void> => {
    if (ending && drain) return;
    ending = true;
    if (drain) {
      await tell({ type: 'draining', calls: node.callsActive });
      await node.drain();
    }
    await node.close();
    process.exit(0);
  };
  process.on('message', (message: ToNode) => {
    if (message.type === 'drain') void end(true);
    else if (message.type === 'reload') void reload(start, (bank) => realtime.setBank(bank)).then(tell);
  });
  process.on('SIGTERM', () => void end(false));
  // The supervisor is gone: nobody would start us again or stop us.
  process.on('disconnect', () => void end(false));
  await tell({ type: 'ready', info: await node.start() });
}

/** A mistake of ours must leave its trace in the log before the process ends and is started again. */
function logFatal(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught: the node ends');
    process.exit(1);
  });
}

function main(): void {
  if (!process.send) {
    process.stderr.write('The node process is started by the supervisor: run switch/main.ts.\n');
    process.exit(EXIT_FAILED);
  }
  process.once('message', (message: ToNode) => {
    if (message.type !== 'start') return;
    run(message).catch(async (error: Error) => {
      const known = error instanceof ConfigError || 'code' in error;
      await tell({ type: 'failed', message: known ? error.message : (error.stack ?? error.message) });
      process.exit(EXIT_FAILED);
    });
  });
}

main();
