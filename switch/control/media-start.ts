/** Connects the node with its media process, which also grants it the lease. */
import { MediaClient } from '../../media/client.ts';
import type { Config } from './config/schema.ts';
import type { Logger } from './log.ts';
import type { MediaPort } from './media-port.ts';
import { keepSoleRole } from './sole-role.ts';

/**
 * Begins to connect, and goes on doing so whenever the connection is lost.
 * @param socket Unix socket of the media process.
 */
export function connectMedia(socket: string, config: Config, log: Logger): MediaPort {
  let closing = false;
  const { leaseMs } = config.availability;
  const client = watchMedia(socket, config.name, config, log);
  const keeper = keepSoleRole(client, leaseMs, (reason) => {
    if (!closing) log.warn({ reason }, 'lease lost: it is asked for again');
  });
  const close = client.close.bind(client);
  client.close = () => {
    closing = true;
    keeper.close();
    close();
  };
  return client;
}

/** The same for a node of a pair: it only watches until it is active. */
export function watchMedia(socket: string, node: string, config: Config, log: Logger): MediaClient {
  let closing = false;
  const client = new MediaClient({
    socket,
    node,
    leaseMs: config.availability.leaseMs,
    requestTimeoutMs: config.media.setupTimeoutMs,
    outstandingMax: config.limits.pendingMedia + config.limits.calls,
    onState: (connected, reason) => {
      if (connected) log.info('media process connected');
      else if (!closing)
        log.error({ reason }, 'media process lost: calls are refused with 503 until it is back');
    },
  });
  const close = client.close.bind(client);
  client.close = () => {
    closing = true;
    close();
  };
  return client;
}
