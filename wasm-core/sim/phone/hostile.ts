/**
 * What a hostile phone makes of its messages: damaged bytes, contradictions, cookies of other dialogs, other people's names, floods.
 * In its other messages it stays a phone.
 */
import { DOMAIN } from '../bank.ts';
import type { Packet } from '../packet.ts';
import { Packet as PacketOf } from '../packet.ts';
import type { Random } from '../random.ts';
import type { SipMessage } from '../sip/message.ts';
import { uriOf, userOf } from '../sip/message.ts';
import { packetOf } from './outgoing.ts';
import type { Phone } from './phone.ts';

/** Things that it remembers of each kind: own messages, cookies, branches, users. */
const MEMORY = 32;
const FLOOD_MAX = 50;
const HUGE_BYTES = [300, 1_000, 5_000, 20_000, 60_000] as const;
const MANY_LINES = 400;
const FLIPS_MAX = 8;
const NUMBERS = [
  '0',
  '-1',
  '1',
  '255',
  '256',
  '2147483648',
  '4294967296',
  '99999999999999999999',
  '0x10',
  '',
] as const;
const DIGITS = /\d+/g;
const COOKIE = /;ck=([^;>]*)/;
const BRANCH = /;branch=([^;,\r]*)/;

/** A message in its parts. */
interface Parts {
  start: string;
  lines: string[];
  body: string;
}

type Twist = (text: string) => string;

const decoder = new TextDecoder();

export class Hostile {
  readonly #phone: Phone;
  readonly #random: Random;
  readonly #sent: Packet[] = [];
  readonly #cookies: string[] = [];
  readonly #branches: string[] = [];
  readonly #users: string[] = [];
  readonly #twists: readonly Twist[];

  constructor(phone: Phone) {
    this.#phone = phone;
    this.#random = phone.random;
    this.#twists = [
      (text) => this.#lines(text, (p) => p.lines.splice(this.#line(p), 0, p.lines[this.#line(p)]!)), // doubled
      (text) => this.#lines(text, (p) => p.lines.splice(this.#line(p), 1)), // removed
      (text) => this.#lines(text, (p) => this.#swap(p)),
      (text) => this.#lines(text, (p) => this.#number(p)),
      (text) => this.#lines(text, (p) => this.#huge(p)),
      (text) => this.#lines(text, (p) => this.#length(p)),
      (text) => this.#lines(text, (p) => this.#cseq(p)),
      (text) => this.#lines(text, (p) => this.#spoof(p)),
      (text) => this.#insert(text, '\0'),
      (text) => this.#insert(text, this.#random.pick(['\r\n', '"', '<', '%00', ',', '\u00ff', ';;=', ' '])),
      (text) => this.#graft(text, COOKIE, this.#cookies),
      (text) => this.#graft(text, COOKIE, this.#cookies),
      (text) => this.#graft(text, BRANCH, this.#branches),
    ];
  }

  /** Remembers what it could use. */
  saw(message: SipMessage): void {
    for (let i = 0; i < message.names.length; i++) {
      const value = message.values[i]!;
      const name = message.names[i]!;
      if (name === 'record-route') this.#keep(this.#cookies, COOKIE.exec(value)?.[1]);
      else if (name === 'via') this.#keep(this.#branches, BRANCH.exec(value)?.[1]);
      else if (name === 'from' || name === 'to') this.#keep(this.#users, userOf(uriOf(value)));
    }
  }

  /** What it sends in place of a message. */
  instead(packet: Packet): readonly Packet[] {
    this.#keep(this.#sent, packet);
    if (!this.#random.chance(this.#phone.spec.hostilePerMille)) return [packet];
    const kind = this.#random.below(this.#twists.length + 5);
    const twist = this.#twists[kind];
    if (twist !== undefined) return [packetOf(twist(decoder.decode(packet.bytes)))];
    switch (kind - this.#twists.length) {
      case 0:
        return [this.#cut(packet)];
      case 1:
        return [this.#flip(packet)];
      case 2:
        return [packet, this.#random.pick(this.#sent)];
      case 3:
        return [this.#random.pick(this.#sent)];
      default:
        return this.#random.chance(200) ? this.#flood() : [packet, packet];
    }
  }

  // --- of bytes -------------------------------------------------------------------------------------

  #cut(packet: Packet): Packet {
    return new PacketOf(packet.bytes.slice(0, this.#random.below(packet.bytes.length)));
  }

  #flip(packet: Packet): Packet {
    const bytes = packet.bytes.slice();
    for (let i = this.#random.between(1, FLIPS_MAX); i > 0; i--) {
      bytes[this.#random.below(bytes.length)]! ^= 1 << this.#random.below(8);
    }
    return new PacketOf(bytes);
  }

  #insert(text: string, what: string): string {
    const at = this.#random.below(text.length);
    return text.slice(0, at) + what + text.slice(at);
  }

  // --- of lines -------------------------------------------------------------------------------------

  /** Changes lines of a message. */
  #lines(text: string, change: (parts: Parts) => void): string {
    const blank = text.indexOf('\r\n\r\n');
    const [start = '', ...lines] = text.slice(0, blank).split('\r\n');
    const parts = { start, lines, body: text.slice(blank + 4) };
    change(parts);
    return `${[parts.start, ...parts.lines].join('\r\n')}\r\n\r\n${parts.body}`;
  }

  #line(parts: Parts): number {
    return this.#random.below(parts.lines.length);
  }

  #swap(parts: Parts): void {
    const a = this.#line(parts);
    const b = this.#line(parts);
    const { lines } = parts;
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  }

  #number(parts: Parts): void {
    const at = this.#line(parts);
    const number = this.#random.pick(NUMBERS);
    if (this.#random.chance(100)) parts.start = parts.start.replace(DIGITS, number);
    else
      parts.lines[at] = parts.lines[at]!.replace(DIGITS, (old) => (this.#random.chance(500) ? number : old));
  }

  #huge(parts: Parts): void {
    const at = this.#line(parts);
    if (this.#random.chance(300)) {
      parts.lines.splice(at, 0, ...Array<string>(MANY_LINES).fill(parts.lines[at]!));
      return;
    }
    const much = 'x'.repeat(this.#random.pick(HUGE_BYTES));
    if (this.#random.chance(500)) parts.lines[at] += much;
    else parts.lines.splice(at, 0, `X-Huge: ${much}`);
  }

  #length(parts: Parts): void {
    const at = parts.lines.findIndex((line) => /^(content-length|l)\s*:/i.test(line));
    if (at < 0) return;
    const { length } = parts.body;
    const shown = [length + 1, length - 1, 0, 65_536, length + 1_000].map(String);
    parts.lines[at] =
      `Content-Length: ${this.#random.pick([...shown, 'abc', '-1', `${length} `, `0${length}`])}`;
  }

  #cseq(parts: Parts): void {
    const at = parts.lines.findIndex((line) => /^cseq\s*:/i.test(line));
    if (at < 0) return;
    const method = this.#random.pick(['INVITE', 'ACK', 'BYE', 'CANCEL', 'REGISTER', 'FROBNICATE']);
    const cseq = parts.lines[at]!;
    parts.lines[at] = this.#random.chance(500) ? cseq.replace(/\d+/, '0') : cseq.replace(/\S+$/, method);
  }

  /** Another user's name, without credentials. */
  #spoof(parts: Parts): void {
    const at = parts.lines.findIndex((line) => /^(from|f)\s*:/i.test(line));
    if (at < 0 || this.#users.length === 0) return;
    parts.lines[at] = parts.lines[at]!.replace(this.#phone.spec.user, this.#random.pick(this.#users));
    if (this.#random.chance(500)) return;
    parts.lines = parts.lines.filter((line) => !/^(proxy-)?authorization:/i.test(line));
  }

  /** A value from another dialog or transaction, or its own with another character. */
  #graft(text: string, place: RegExp, known: readonly string[]): string {
    const own = place.exec(text)?.[1];
    if (own === undefined || own === '') return text;
    if (known.length > 0 && this.#random.chance(600)) return text.replace(own, this.#random.pick(known));
    const at = this.#random.below(own.length);
    return text.replace(own, `${own.slice(0, at)}${this.#random.hex(1)}${own.slice(at + 1)}`);
  }

  // --- of many --------------------------------------------------------------------------------------

  /** Requests that nobody waits for. */
  #flood(): Packet[] {
    const method = this.#random.pick(['OPTIONS', 'INVITE']);
    const user = this.#users.length === 0 ? this.#phone.spec.user : this.#random.pick(this.#users);
    const proves = this.#random.chance(500);
    return Array.from({ length: this.#random.between(2, FLOOD_MAX) }, () =>
      this.#request(method, user, proves),
    );
  }

  #request(method: string, user: string, proves: boolean): Packet {
    const { style, identifiers, credentials, spec, wire, nodeIp, nodePort } = this.#phone;
    const uri = `sip:${user}@${DOMAIN}`;
    const isInvite = method === 'INVITE';
    const callId = identifiers.callId();
    const tag = identifiers.tag();
    const parts = {
      method,
      uri,
      routes: [],
      from: style.from(`sip:${spec.user}@${DOMAIN}`, tag),
      to: `<${uri}>`,
      callId,
      cseq: 1,
      contact: isInvite ? `<${wire.contactUri}>` : '',
      more: proves ? credentials.line(method, uri) : '',
      body: isInvite ? this.#phone.describe(callId, tag).write(this.#phone.ipText, 'sendrecv') : '',
    };
    return this.#phone.outgoing(parts, nodeIp, nodePort).packet;
  }

  #keep<T>(memory: T[], item: T | undefined): void {
    if (item === undefined || item === '') return;
    if (memory.length < MEMORY) memory.push(item);
    else memory[this.#random.below(MEMORY)] = item;
  }
}
