/** A switch of two nodes, and what a test does to them. */
import type { Switch } from './switch.ts';
import { eventually } from './wait.ts';

/** One process of `GET /api/v1/nodes`. */
export interface ApiNode {
  id: string;
  role: string;
  pid: number;
  epoch: number;
  state: string;
  takeoverMs?: number;
  mirror?: { synced: boolean; lagRecords: number; lagFrames: number; unmirrored: number };
}

/** Options of a switch with a standby. */
export const PAIR = {
  change: (config: { availability?: object }) => {
    config.availability = { ...config.availability, standby: true };
  },
};

export async function nodeOf(at: Switch, role: string): Promise<ApiNode> {
  const { nodes } = await at.api<{ nodes: ApiNode[] }>('/nodes');
  const node = nodes.find((one) => one.role === role);
  if (node === undefined) throw new Error(`no ${role} node`);
  return node;
}

/** Waits for an active node, other than `before`, whose standby has everything; gives it. */
export function synced(at: Switch, before = 0): Promise<ApiNode> {
  return eventually(
    'a standby that has everything',
    async () => {
      const node = await nodeOf(at, 'active');
      return node.pid !== before && node.mirror?.synced ? node : null;
    },
    20_000,
  );
}

/** Waits until another process than `before` is active; gives it. */
export function takenOver(at: Switch, before: number): Promise<ApiNode> {
  return eventually(
    'another active node',
    async () => {
      const node = await nodeOf(at, 'active');
      return node.pid === before ? null : node;
    },
    10_000,
  );
}
