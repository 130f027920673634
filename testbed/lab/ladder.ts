/** A call as a ladder: who takes part, and each message as a rung. */
import type { Flight } from '../../wasm-core/sim/network.ts';
import { kindOf, labelOf, type MessageKind } from './message-kind.ts';
import type { LabCall } from './recorder.ts';

export interface Rung {
  flight: Flight;
  kind: MessageKind;
  label: string;
  /** Places of sender and receiver among the hosts; `to` is `from` when nobody has the address. */
  from: number;
  to: number;
  /** The same bytes were sent on the same way before. */
  isAgain: boolean;
  arrives: boolean;
}

export interface Ladder {
  /** The caller, switches in the order in which they come in, then the phones that were called. */
  hosts: readonly string[];
  rungs: readonly Rung[];
}

export function ladderOf(call: LabCall, nodes: readonly string[]): Ladder {
  const hosts = hostsOf(call, nodes);
  const seen = new Set<string>();
  const rungs = call.flights.map((flight): Rung => {
    const from = hosts.indexOf(flight.from);
    const to = hosts.indexOf(flight.to);
    const way = `${flight.from}>${flight.to} ${flight.packet.bytes.length} ${textOf(flight)}`;
    const isAgain = flight.copy || seen.has(way);
    seen.add(way);
    const { sip } = flight.packet;
    return {
      flight,
      kind: kindOf(sip),
      label: labelOf(sip),
      from,
      to: to < 0 ? from : to,
      isAgain,
      arrives: flight.fate === 'arrives',
    };
  });
  return { hosts, rungs };
}

function hostsOf(call: LabCall, nodes: readonly string[]): string[] {
  const found = new Set<string>();
  for (const { from, to } of call.flights) {
    found.add(from);
    if (to !== '') found.add(to);
  }
  found.delete(call.caller);
  const others = [...found];
  return [
    call.caller,
    ...others.filter((host) => nodes.includes(host)),
    ...others.filter((host) => !nodes.includes(host)),
  ];
}

const decoder = new TextDecoder();

/** The message as it is on the wire. */
export function textOf(flight: Flight): string {
  return decoder.decode(flight.packet.bytes);
}

/**
 * What stands on the other side of a switch: for a message that goes into its core, the first that came out for it; for one that
 * came out, the last that went in before. Undefined when the switch kept it for itself or spoke of its own.
 */
export function counterpart(
  flights: readonly Flight[],
  of: Flight,
  nodes: readonly string[],
): Flight | undefined {
  if (nodes.includes(of.to) && of.fate === 'arrives') {
    const out = flights.find(
      ({ from, sentUs, id }) => from === of.to && sentUs >= of.arrivesUs && id > of.id,
    );
    const next = flights.find(
      ({ to, fate, arrivesUs, id }) =>
        to === of.to && fate === 'arrives' && arrivesUs > of.arrivesUs && id !== of.id,
    );
    return out !== undefined && (next === undefined || out.sentUs <= next.arrivesUs) ? out : undefined;
  }
  if (!nodes.includes(of.from)) return undefined;
  let last: Flight | undefined;
  for (const flight of flights) {
    if (flight.to !== of.from || flight.fate !== 'arrives' || flight.arrivesUs > of.sentUs) continue;
    if (last === undefined || flight.arrivesUs >= last.arrivesUs) last = flight;
  }
  return last;
}
