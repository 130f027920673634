/** A person with a phone, in a test: the real phone over a real WebSocket, with media that only pretends. */
import { randomUUID } from 'node:crypto';
import type { CallSnapshot } from '../../softphone/phone/call.ts';
import type { Failure } from '../../softphone/phone/failure.ts';
import { FailureError } from '../../softphone/phone/failure.ts';
import { Phone, type PhoneOptions, type PhoneSnapshot } from '../../softphone/phone/phone.ts';
import './websocket.ts';
import { FakeMedia } from './fake-media.ts';
import type { StandIn } from './standin.ts';

export class Person {
  readonly phone: Phone;
  readonly instanceId = randomUUID();
  /** Media of all calls, oldest first. */
  readonly media: FakeMedia[] = [];
  readonly ended: CallSnapshot[] = [];
  readonly history: PhoneSnapshot[] = [];
  /** Set to have no microphone. */
  microphone: Failure | null = null;
  readonly #user: string;

  constructor(user: string, options: Partial<PhoneOptions> = {}) {
    this.#user = user;
    this.phone = new Phone(
      {
        instanceId: this.instanceId,
        backoff: { baseMs: 40, maxMs: 400 },
        media: () => {
          const media = new FakeMedia();
          this.media.push(media);
          return media;
        },
        prepareMicrophone: async () => {
          if (this.microphone) throw new FailureError(this.microphone);
        },
        ...options,
      },
      {
        changed: (snapshot) => void this.history.push(snapshot),
        ended: (call) => void this.ended.push(call),
      },
    );
  }

  get state(): PhoneSnapshot {
    return this.phone.snapshot;
  }

  /** The only call. */
  get call(): CallSnapshot {
    const { calls } = this.state;
    if (calls.length !== 1) throw new Error(`${this.#user} has ${calls.length} calls`);
    return calls[0]!;
  }

  async signIn(server: StandIn, password = `demo-${this.#user}`, keepTrying = false): Promise<void> {
    const account = { server: server.url, user: this.#user, password, domain: 'strowger.test' };
    await this.phone.signIn(account, keepTrying);
    await this.until(({ line }) => line.name === 'registered' || line.name === 'signed-out' || keepTrying);
  }

  /** Waits until the phone's state is as wanted. */
  async until(wanted: (snapshot: PhoneSnapshot) => boolean, limitMs = 4_000): Promise<PhoneSnapshot> {
    const endMs = Date.now() + limitMs;
    for (;;) {
      const snapshot = this.state;
      if (wanted(snapshot)) return snapshot;
      if (Date.now() > endMs) throw new Error(`${this.#user} is still ${JSON.stringify(snapshot, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  untilPhase(phase: string): Promise<PhoneSnapshot> {
    return this.until(({ calls }) => calls.some((call) => call.phase === phase));
  }

  untilIdle(): Promise<PhoneSnapshot> {
    return this.until(({ calls }) => calls.length === 0);
  }
}

/** Waits until `wanted` holds. */
export async function eventually(wanted: () => boolean, limitMs = 4_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!wanted()) {
    if (Date.now() > endMs) throw new Error(`never came true: ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
