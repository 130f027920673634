/** A model of the registrar of each node, from the REGISTERs that it answered 200: what may be called, and until when. */
import type { SimNode } from '../node.ts';
import { parameter, type SipMessage, uriOf, userOf } from '../sip/message.ts';
import type { CheckerKind } from './checkers.ts';
import { keyOf, originOf, type Traffic } from './traffic.ts';

interface Binding {
  contact: string;
  /** By the node's clock, ms. */
  expiresMs: number;
}

/** The answer rounds up to whole seconds. */
const ROUNDING_MS = 1_000;

class Registrar {
  readonly #nodes = new Map<string, Map<string, Binding[]>>();

  bindings(node: SimNode, user: string): Binding[] {
    return this.#nodes.get(node.name)?.get(user) ?? [];
  }

  /** A 200 lists all bindings that there are. */
  answered(node: SimNode, answer: SipMessage): void {
    const user = userOf(uriOf(answer.header('to')));
    const nowMs = Math.floor(node.clockUs() / 1_000);
    const bindings = answer.headers('contact').map((value) => {
      const contact = uriOf(value);
      const expiresMs = nowMs + Number(parameter(value, 'expires')) * 1_000;
      return { contact, expiresMs };
    });
    let users = this.#nodes.get(node.name);
    if (users === undefined) {
      users = new Map();
      this.#nodes.set(node.name, users);
    }
    users.set(user, bindings);
  }

  forget(name: string): void {
    this.#nodes.delete(name);
  }
}

/** Both rules look at one model. */
export function registrarCheckers(traffic: Traffic): CheckerKind[] {
  const registrar = new Registrar();
  /** Contacts that an INVITE may go to, as it came: by node, Call-ID and CSeq. */
  const allowed = new Map<string, Set<string>>();

  const registeredOnly: CheckerKind = (sim, fail) => ({
    name: 'registered-only',
    received(node, { packet: { sip } }) {
      if (!sip?.isRequest || sip.toTag !== '' || sip.method === 'REGISTER' || sip.method === 'ACK') return;
      const nowMs = Math.floor(node.clockUs() / 1_000);
      const key = `${node.name} ${keyOf(sip)}`;
      let contacts = allowed.get(key);
      if (contacts === undefined) {
        contacts = new Set();
        allowed.set(key, contacts);
        if (allowed.size > ALLOWED_MAX) allowed.delete(allowed.keys().next().value!);
      }
      for (const { contact, expiresMs } of registrar.bindings(node, dialledUser(sip)))
        if (expiresMs + ROUNDING_MS > nowMs) contacts.add(contact);
    },
    sent(node, packet, to) {
      const { sip } = packet;
      if (!sip) return;
      if (sip.status === 200 && sip.method === 'REGISTER') registrar.answered(node, sip);
      if (
        !sip.isRequest ||
        sip.toTag !== '' ||
        originOf(sip, traffic.current) === 'own' ||
        sip.method === 'ACK'
      )
        return;
      if (sim.nodes.some(({ ip, name }) => ip === to.ip && name !== node.name)) return; // a gateway
      if (sip.headers('route').length > 0) return; // on the strength of a cookie: see `cookies`
      if (traffic.hasHostile) return; // what such phones dial and register can be read in two ways
      if (!allowed.get(`${node.name} ${keyOf(sip)}`)?.has(sip.uri))
        fail(`${node.name}: ${sip.startLine} (${sip.callId}) goes to no contact that was registered then`);
    },
    forgot({ name }) {
      registrar.forget(name);
    },
  });

  const registerOrder: CheckerKind = (_sim, fail) => {
    /** Call-ID and CSeq of the REGISTER that a binding has from, by node, user and Contact. */
    const accepted = new Map<string, { callId: string; cseq: number }>();
    return {
      name: 'register-order',
      sent(node, packet) {
        const request = traffic.current?.packet.sip;
        const { sip } = packet;
        if (sip?.status !== 200 || sip.method !== 'REGISTER' || request?.method !== 'REGISTER') return;
        const user = userOf(uriOf(request.header('to')));
        const bound = new Set(sip.headers('contact').map(uriOf));
        const nowMs = Math.floor(node.clockUs() / 1_000);
        for (const contact of request.headers('contact').map(uriOf)) {
          const key = `${node.name} ${user} ${contact}`;
          const last = accepted.get(key);
          const known = registrar.bindings(node, user).find((binding) => binding.contact === contact);
          // One that has expired may be made again by whatever comes.
          if (
            last?.callId === request.callId &&
            request.cseq < last.cseq &&
            known !== undefined &&
            known.expiresMs > nowMs + ROUNDING_MS
          )
            fail(`${node.name}: REGISTER ${request.cseq} of ${user} was accepted after ${last.cseq}`);
          if (bound.has(contact)) accepted.set(key, { callId: request.callId, cseq: request.cseq });
          else accepted.delete(key); // removed: it may come back
        }
      },
      forgot() {
        accepted.clear();
      },
    };
  };
  return [registerOrder, registeredOnly]; // the latter changes the model
}

const ALLOWED_MAX = 20_000;

/** User part that a request asks for, with visual separators as the core ignores them left in. */
function dialledUser(request: SipMessage): string {
  return userOf(request.uri);
}
