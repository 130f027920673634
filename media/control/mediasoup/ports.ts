/** Loopback ports for the transports between mediasoup and the edge, apart from those that others are promised. */

/** First and last port. */
export interface PortRange {
  min: number;
  max: number;
}

/** Ports that mediasoup may take when nothing is reserved: below what kernels hand out at random (net.ipv4.ip_local_port_range). */
const USABLE: PortRange = { min: 10_000, max: 59_999 };

/** The largest part of the usable ports that no reserved range touches. @throws when there is none. */
export function freeRange(reserved: readonly PortRange[]): PortRange {
  let best: PortRange | null = null;
  let from = USABLE.min;
  const sorted = [...reserved].sort((a, b) => a.min - b.min);
  for (const { min, max } of [...sorted, { min: USABLE.max + 1, max: USABLE.max + 1 }]) {
    const gap = { min: from, max: Math.min(min - 1, USABLE.max) };
    if (gap.max >= gap.min && (best === null || gap.max - gap.min > best.max - best.min)) best = gap;
    from = Math.max(from, max + 1);
  }
  if (best === null) throw new RangeError('no ports are left for mediasoup: portMin to portMax is too wide');
  return best;
}
