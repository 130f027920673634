/** Lets the core of a standby work: the realtime thread opens its sockets, and the core becomes active. */
import type { Frame } from '../../wasm-core/host/frames.ts';
import { LINK_PROMOTE, LINK_PROMOTED } from '../realtime/link-frames.ts';
import type { CoreLink } from './core-link.ts';

/**
 * All that was posted on the link before is handled first. Once for each link.
 * @throws Error with the system's reason when a socket can't be had.
 */
export async function takeOver(link: CoreLink, epoch: number): Promise<void> {
  const answered = new Promise<Frame>((resolve) => link.on(LINK_PROMOTED, resolve));
  link.post({ kind: LINK_PROMOTE, args: [0, epoch] });
  const frame = await answered;
  if (frame.arg(0) !== 1) throw new Error(frame.text);
}
