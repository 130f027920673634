/** Command line of the media process. */
import type { Config } from '../control/config/schema.ts';

/** What media/main.ts is told, from the configuration. */
export function mediaArguments(config: Config, socket: string): string[] {
  const { media, logs } = config;
  return [
    ...['--socket', socket],
    ...['--address', media.address],
    ...['--announced', media.announcedAddress ?? media.address],
    ...['--ports', `${media.portMin}-${media.portMax}`],
    ...['--webrtc-port', String(media.webrtcPort)],
    ...['--plain-to-plain', media.plainToPlain],
    ...['--workers', String(media.workers)],
    ...['--timeout', String(media.timeoutS)],
    ...['--log-level', logs.level],
  ];
}
