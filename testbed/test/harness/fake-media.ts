/** Media that only remembers what it was told. Its SDP has one line that matters: the direction. */
import type { MediaPath, MediaPort } from '../../softphone/phone/media.ts';

type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const directionIn = (sdp: string): Direction => (/a=(\w+)/.exec(sdp)?.[1] ?? 'sendrecv') as Direction;

export class FakeMedia implements MediaPort {
  onChange: (() => void) | null = null;
  path: MediaPath = 'none';
  readonly remoteStream = null;
  readonly localStream = null;
  hold = false;
  muted = false;
  closed = false;
  restarts = 0;
  tones = '';
  /** Whether telephone-events were negotiated. */
  takesTones = true;
  early: string[] = [];
  /** SDP that came, oldest first. */
  readonly heard: string[] = [];
  /** Set to make the next description fail. */
  breaks: Error | null = null;
  #remote: Direction = 'sendrecv';
  /** The offer that is open. */
  #pending: 'none' | 'ours' | 'theirs' = 'none';

  get heldByRemote(): boolean {
    return this.#remote === 'sendonly' || this.#remote === 'inactive';
  }

  async getDescription(): Promise<{ body: string; contentType: string }> {
    if (this.breaks) throw this.breaks;
    const wanted: Direction = this.hold ? 'sendonly' : 'sendrecv';
    const answer: Direction = this.#remote === 'sendonly' ? (this.hold ? 'inactive' : 'recvonly') : wanted;
    const direction = this.#pending === 'theirs' ? answer : wanted;
    this.#pending = this.#pending === 'theirs' ? 'none' : 'ours';
    return { body: `v=0\r\na=${direction}\r\n`, contentType: 'application/sdp' };
  }

  hasDescription(contentType: string): boolean {
    return contentType === 'application/sdp';
  }

  async setDescription(sdp: string): Promise<void> {
    if (this.breaks) throw this.breaks;
    this.heard.push(sdp);
    const direction = directionIn(sdp);
    this.#pending = this.#pending === 'ours' ? 'none' : 'theirs';
    this.#remote = direction;
    this.path = 'connected';
    this.onChange?.();
  }

  async applyEarlyAnswer(sdp: string): Promise<void> {
    this.early.push(sdp);
  }

  async rollbackDescription(): Promise<void> {
    this.#pending = 'none';
  }

  sendDtmf(tones: string): boolean {
    if (!this.takesTones) return false;
    this.tones += tones;
    return true;
  }

  restartIce(): void {
    this.restarts++;
  }

  async replaceMicrophone(): Promise<void> {
    this.onChange?.();
  }

  async stats(): Promise<Iterable<[string, unknown]>> {
    return [];
  }

  close(): void {
    this.closed = true;
  }
}
