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
 * What stands on the other side of a switch: for a message that goes into its core, the same one as it came out, else its first answer;
 * for one that came out, the same one as it went in, else what went in last before. Undefined when the switch kept it for itself or spoke
 * of its own.
 */
export function counterpart(
  flights: readonly Flight[],
  of: Flight,
  nodes: readonly string[],
): Flight | undefined {
  const isSame = (flight: Flight) => labelOf(flight.packet.sip) === labelOf(of.packet.sip);
  if (nodes.includes(of.to) && of.fate === 'arrives') {
    const outs = flights.filter(
      ({ from, sentUs, id }) => from === of.to && sentUs >= of.arrivesUs && id > of.id,
    );
    const again = flights.find(
      (each) => each.id > of.id && each.to === of.to && each.from === of.from && isSame(each),
    );
    return (
      outs.find((out) => isSame(out) && out.to !== of.from && (again === undefined || out.id < again.id)) ??
      outs[0]
    );
  }
  if (!nodes.includes(of.from)) return undefined;
  const ins = flights.filter(
    ({ to, fate, arrivesUs }) => to === of.from && fate === 'arrives' && arrivesUs <= of.sentUs,
  );
  ins.sort((a, b) => b.arrivesUs - a.arrivesUs);
  return ins.find((each) => isSame(each) && each.from !== of.to) ?? ins[0];
}
