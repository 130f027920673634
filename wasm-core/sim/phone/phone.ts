/** A phone of a simulation. */
import type { Arrival, Host } from '../network.ts';
import { ipOf } from '../network.ts';
import type { CallSpec, PhoneSpec } from '../scenario.ts';
import type { World } from '../world.ts';

export class Phone implements Host {
  readonly name: string;
  readonly spec: PhoneSpec;
  readonly world: World;
  ip: number;
  port: number;
  isOn = true;

  constructor(spec: PhoneSpec, world: World) {
    this.name = spec.name;
    this.spec = spec;
    this.world = world;
    this.ip = ipOf(spec.ip);
    this.port = spec.port;
  }

  /** Places a call. */
  place(_call: CallSpec): void {}

  /** Nothing new begins; the registration is let go once the calls have ended. */
  wind(): void {}

  /** It is off at once, without a word, and forgets its calls. */
  turnOff(): void {}

  /** It is back, as after being switched on. */
  turnOn(): void {}

  /** It has another address: registers from there, and goes on with its calls. */
  move(_ip: number, _port: number): void {}

  receive(_arrival: Arrival): void {}
}
