/** Command line of the media process. */
import type { Config } from '../control/config/schema.ts';

/** What the media process takes at most. */
const BATCH_BUDGET_US_MAX = 2_000;

/**
 * What media/main.ts is told, from the configuration.
 * @param generation how often it is started, this time included
 */
export function mediaArguments(config: Config, socket: string, generation: number): string[] {
  const { availability, budgets, media, logs } = config;
  // A packet that goes through mediasoup to another phone passes the edge twice.
  const budgetUs = Math.min(BATCH_BUDGET_US_MAX, Math.floor(budgets.packetUs / 2));
  return [
    ...['--socket', socket],
    ...['--address', media.address],
    ...['--announced', media.announcedAddress ?? media.address],
    ...['--ports', `${media.portMin}-${media.portMax}`],
    ...['--webrtc-port', String(media.webrtcPort)],
    ...['--plain-to-plain', media.plainToPlain],
    ...['--batch-budget', String(media.batchWait === 'off' ? 0 : budgetUs)],
    ...['--workers', String(media.workers)],
    ...['--timeout', String(media.timeoutS)],
    ...['--lease', String(availability.leaseMs)],
    ...['--generation', String(generation)],
    ...['--log-level', logs.level],
  ];
}
