/**
 * A phone of a simulation: an RFC 3261 user agent with its timers, written independently of the core and strict about what it
 * gets. It registers, places and takes calls, moves, is switched off and on.
 */
import { type Arrival, type Flow, type Host, ipText } from '../network.ts';
import { ipOf } from '../network.ts';
import { SIP_PORT, WS_PORT } from '../node.ts';
import { TRANSPORT_WS } from '../../assembly/abi.ts';
import type { Packet } from '../packet.ts';
import type { Random } from '../random.ts';
import type { CallSpec, PhoneSpec } from '../scenario.ts';
import type { Timer } from '../scheduler.ts';
import type { SipMessage } from '../sip/message.ts';
import type { NoteOf, ProtestRule, World } from '../world.ts';
import { Calls } from './calls.ts';
import { Credentials } from './digest.ts';
import { Hostile } from './hostile.ts';
import { Identifiers } from './identifiers.ts';
import { clientKey, type Outgoing, packetOf, type ReplyPath } from './outgoing.ts';
import { Receiver } from './receiver.ts';
import { Registration } from './registration.ts';
import { Description } from './sdp.ts';
import { type RequestParts, type ResponseParts, Style } from './style.ts';
import { Transactions } from './transactions.ts';
import { Wire } from './wire.ts';

/** A phone that is switched on takes up to so long before it registers. */
const BOOT_MS = 1_000;
/** Phones with the switch as a Route of their first requests (RFC 3261 8.1.1.1: a pre-existing route set). */
const PRELOADED_PER_MILLE = 300;
const FIRST_AUDIO_PORT = 20_000;
const AUDIO_PORTS = 10_000;

export class Phone implements Host {
  readonly name: string;
  readonly spec: PhoneSpec;
  readonly world: World;
  readonly random: Random;
  readonly style: Style;
  readonly identifiers: Identifiers;
  readonly credentials: Credentials;
  readonly wire: Wire;
  readonly transactions: Transactions;
  readonly registration: Registration;
  readonly calls: Calls;
  /** Damages what it sends; null for a phone that means well. */
  readonly hostile: Hostile | null;
  /** Address of its node; its port for the phone's transport. */
  readonly nodeIp: number;
  readonly nodePort: number;
  /** Route values of requests out of dialogs. */
  readonly preloadedRoutes: readonly string[];
  readonly #receiver: Receiver;
  ip: number;
  port: number;
  isOn = true;
  /** A person holds it: it rings until `Calls` is told what to do. */
  isManual = false;
  /** Nothing new begins any more. */
  isWinding = false;
  /** Times that it was switched off: its timers of before are void. */
  #life = 0;
  #sessions = 0;

  /** @throws RangeError when its node is nowhere or its transport is none of phones */
  constructor(spec: PhoneSpec, world: World) {
    this.name = spec.name;
    this.spec = spec;
    this.world = world;
    this.ip = ipOf(spec.ip);
    this.port = spec.port;
    const node = world.node(spec.node);
    if (node === undefined) throw new RangeError(`${spec.name}: there is no node ${spec.node}`);
    this.nodeIp = node.ip;
    this.nodePort = spec.transport === TRANSPORT_WS ? WS_PORT : SIP_PORT;
    this.random = world.random(`phone ${spec.name}`);
    this.style = new Style(this.random);
    this.identifiers = new Identifiers(spec.name, this.random);
    this.credentials = new Credentials(spec.user, this.random);
    const hasRoute = this.random.chance(PRELOADED_PER_MILLE);
    this.preloadedRoutes = hasRoute ? [`<sip:${ipText(node.ip)}:${SIP_PORT};lr>`] : [];
    this.hostile = spec.hostilePerMille > 0 ? new Hostile(this) : null;
    this.wire = new Wire(this);
    this.transactions = new Transactions(this);
    this.registration = new Registration(this);
    this.calls = new Calls(this);
    this.#receiver = new Receiver(this);
    if (spec.registerAtMs >= 0) this.registration.start(spec.registerAtMs);
  }

  // --- acts -----------------------------------------------------------------------------------------

  /** Places a call. */
  place(call: CallSpec): void {
    if (this.isOn && !this.isWinding) this.calls.place(call);
  }

  /** Nothing new begins; the registration is let go once the calls have ended. */
  wind(): void {
    this.isWinding = true;
    this.callEnded();
  }

  /** It is off at once, without a word, and forgets its calls. */
  turnOff(): void {
    if (!this.isOn) return;
    this.isOn = false;
    this.#life++;
    this.wire.unbind();
    this.calls.forget();
    this.transactions.forget();
    this.registration.forget();
    this.credentials.forget();
  }

  /** It is back, as after being switched on. */
  turnOn(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.wire.hangUp(); // streams of before were half open
    this.wire.bind();
    if (this.spec.registerAtMs < 0 || this.isWinding) return;
    const atUs = this.spec.registerAtMs * 1_000;
    const waitMs = Math.max(0, (atUs - this.world.scheduler.nowUs) / 1_000);
    this.registration.start(Math.max(waitMs, this.random.below(BOOT_MS)));
  }

  /** It has another address: registers from there, and goes on with its calls. */
  move(ip: number, port: number): void {
    const former = this.wire.contactUri;
    if (this.isOn) this.wire.unbind();
    this.ip = ip;
    this.port = port;
    if (!this.isOn) return;
    this.wire.hangUp();
    this.wire.bind();
    this.registration.move(former, () => this.calls.refresh());
  }

  // --- host of the network --------------------------------------------------------------------------

  receive(arrival: Arrival): void {
    if (this.isOn && this.wire.hears(arrival)) this.#receiver.take(arrival);
  }

  opened(flow: Flow): void {
    if (this.isOn) this.wire.opened(flow);
  }

  closed(flow: Flow): void {
    if (this.wire.closed(flow) && this.isOn) this.registration.flowLost();
  }

  // --- for its parts --------------------------------------------------------------------------------

  get ipText(): string {
    return ipText(this.ip);
  }

  /** Does something later, unless it is switched off before. */
  after(ms: number, run: () => void): Timer {
    const life = this.#life;
    return this.world.scheduler.after(Math.round(ms * 1_000), () => {
      if (life === this.#life) run();
    });
  }

  note(note: NoteOf): void {
    this.world.note({ phone: this.name, ...note });
  }

  /** A hostile phone keeps quiet: what it has sent isn't what it thinks. */
  protest(rule: ProtestRule, callId: string, text: string): void {
    if (this.hostile === null) this.note({ kind: 'protest', rule, callId, text });
  }

  /** A call is over: the last one takes the registration with it when the phone winds up. */
  callEnded(): void {
    if (this.isOn && this.isWinding && this.calls.size === 0) this.registration.leave();
  }

  /** Its side of a new session. */
  describe(callId: string, tag: string): Description {
    const session = ++this.#sessions;
    const port = FIRST_AUDIO_PORT + ((2 * session) % AUDIO_PORTS);
    return new Description(this.name, session, callId, tag, port);
  }

  // --- writing --------------------------------------------------------------------------------------

  /** A request with a branch of its own, or with that of `branchOf`. */
  outgoing(
    parts: Omit<RequestParts, 'via'>,
    ip: number,
    port: number,
    via = this.style.via(this.wire.sentBy, this.identifiers.branch()),
  ): Outgoing {
    const all = { ...parts, via };
    return {
      parts: all,
      key: clientKey(branchOf(via), parts.method),
      packet: packetOf(this.style.request(all)),
      ip,
      port,
    };
  }

  /** ACK to a failure: of the INVITE's transaction (17.1.1.3). */
  ackOf(invite: Outgoing, response: SipMessage): Outgoing {
    const { parts, ip, port } = invite;
    const to = response.header('to');
    return this.outgoing(
      { ...parts, method: 'ACK', to, contact: '', more: '', body: '' },
      ip,
      port,
      parts.via,
    );
  }

  /** CANCEL (9.1). */
  cancelOf(invite: Outgoing): Outgoing {
    const { parts, ip, port } = invite;
    return this.outgoing(
      { ...parts, method: 'CANCEL', contact: '', more: '', body: '' },
      ip,
      port,
      parts.via,
    );
  }

  responseTo(request: SipMessage, path: ReplyPath, parts: ResponseParts): Packet {
    return packetOf(this.style.response(request, path.vias, parts));
  }

  transmit(outgoing: Outgoing): void {
    this.wire.send(outgoing.packet, outgoing.ip, outgoing.port);
  }

  transmitResponse(packet: Packet, path: ReplyPath): void {
    this.wire.send(packet, path.ip, path.port);
  }
}

/** Branch of a Via value that the phone has written. */
function branchOf(via: string): string {
  const from = via.indexOf(';branch=') + 8;
  const end = via.indexOf(';', from);
  return end < 0 ? via.slice(from) : via.slice(from, end);
}
