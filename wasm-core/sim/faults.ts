/** What goes wrong in a simulation, when, and how it is put right again. */
import { ipOf } from './network.ts';
import type { FaultSpec } from './scenario.ts';
import type { Simulation } from './simulation.ts';

export class Faults {
  readonly #sim: Simulation;
  readonly #seen: (fault: FaultSpec, begins: boolean) => void;
  /** Those that last, with what ends them. */
  readonly #open = new Map<FaultSpec, () => void>();

  /** @param seen  is told when one begins and, if it lasts, when it ends */
  constructor(sim: Simulation, seen: (fault: FaultSpec, begins: boolean) => void) {
    this.#sim = sim;
    this.#seen = seen;
  }

  /** Those that last at present. */
  get open(): readonly FaultSpec[] {
    return [...this.#open.keys()];
  }

  begin(fault: FaultSpec): void {
    this.#seen(fault, true);
    const heal = this.#apply(fault);
    if (heal === undefined || !('ms' in fault)) return;
    this.#open.set(fault, heal);
    this.#sim.scheduler.after(fault.ms * 1_000, () => this.end(fault));
  }

  end(fault: FaultSpec): void {
    const heal = this.#open.get(fault);
    if (heal === undefined) return;
    this.#open.delete(fault);
    heal();
    this.#seen(fault, false);
  }

  healAll(): void {
    for (const fault of [...this.#open.keys()]) this.end(fault);
  }

  /** Does it; what it gives puts it right, if that is possible. */
  #apply(fault: FaultSpec): (() => void) | undefined {
    const { network } = this.#sim;
    switch (fault.kind) {
      case 'cut': {
        const ways = [[fault.from, fault.to], ...(fault.twoWay ? [[fault.to, fault.from]] : [])] as [
          string,
          string,
        ][];
        for (const [from, to] of ways) network.setBlocked(from, to, true);
        return () => {
          for (const [from, to] of ways) network.setBlocked(from, to, false);
        };
      }
      case 'slow': {
        const before = network.linkOf(fault.from, fault.to);
        network.setLink(fault.from, fault.to, fault.spec);
        return () => network.setLink(fault.from, fault.to, before);
      }
      case 'vanish': {
        const phone = this.#sim.phone(fault.phone);
        phone?.turnOff();
        return () => phone?.turnOn();
      }
      case 'move':
        this.#sim.phone(fault.phone)?.move(ipOf(fault.ip), fault.port);
        return undefined;
      default:
        return this.#applyToNode(fault);
    }
  }

  #applyToNode(
    fault: Exclude<FaultSpec, { kind: 'cut' | 'slow' | 'vanish' | 'move' }>,
  ): (() => void) | undefined {
    const node = this.#sim.node(fault.node);
    if (node === undefined) return undefined;
    switch (fault.kind) {
      case 'crash':
        node.crash();
        return () => node.restart(fault.keepsMemory);
      case 'pause':
        node.pause();
        return () => node.resume();
      case 'clock-jump':
        node.setClock(1, fault.byMs * 1_000);
        return undefined;
      case 'clock-rate':
        node.setClock(fault.rate);
        return () => node.setClock(1);
      case 'reload':
        node.loadBank();
        return undefined;
      case 'drain':
        node.setDraining(true);
        return () => node.setDraining(false);
      case 'media-crash':
        node.media.setUp(false);
        return () => node.media.setUp(true);
      case 'hangup': {
        const call = this.#sim.callsOf(node)[fault.nth];
        if (call !== undefined) node.hangup(call.slot, call.generation);
        return undefined;
      }
    }
  }
}
