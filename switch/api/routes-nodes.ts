/** The processes of the switch, and what an operator can do with them. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { PairRole } from '../control/pair-role.ts';
import type { ApiContext } from './context.ts';
import { json } from './exchange.ts';
import { Problem } from './problem.ts';
import type { Route } from './router.ts';
import { nodesSchema, startedSchema } from './shapes.ts';

/** What the standby still has to get, and how this node came to be active. */
function mirrorView(context: ApiContext): object {
  const { counters } = context.realtime();
  const { activeSinceMs, takeoverMs } = context.pair!;
  return {
    activeSince: new Date(activeSinceMs).toISOString(),
    takeoverMs: Math.round(takeoverMs * 10) / 10,
    mirror: {
      synced: counters[abi.C_MIRROR_SYNCED] === 1,
      lagRecords: counters[abi.C_MIRROR_DIRTY] ?? 0,
      lagFrames: counters[abi.C_MIRROR_UNACKED] ?? 0,
      unmirrored: counters[abi.C_UNMIRRORED] ?? 0,
    },
  };
}

/** The pair, when its standby could take over now. @throws Problem */
function readyPair({ pair }: ApiContext): PairRole {
  if (pair === null)
    throw new Problem(409, 'There is no second node: set availability.standby in the configuration.');
  if (!pair.canSwitchOver)
    throw new Problem(409, 'The standby is not there or does not have everything yet; see /api/v1/nodes.');
  return pair;
}

const STARTED = {
  202: { description: 'It has begun; see /api/v1/nodes.', schema: startedSchema, name: 'Started' },
  401: { description: 'No valid token.' },
  409: { description: 'There is no standby that has everything.' },
};

/** Routes of processes. */
export const nodeRoutes: readonly Route<ApiContext>[] = [
  {
    method: 'GET',
    path: '/api/v1/nodes',
    summary: 'Processes of the switch.',
    access: 'token',
    responses: {
      200: { description: 'All of them.', schema: nodesSchema, name: 'Nodes' },
      401: { description: 'No valid token.' },
    },
    handle(context) {
      const state = context.state === 'ok' ? 'running' : context.state;
      const nodes: object[] = [
        {
          id: context.name,
          role: 'active',
          pid: process.pid,
          epoch: context.epoch,
          state,
          ...(context.pair && mirrorView(context)),
        },
      ];
      const peer = context.pair?.peer;
      if (peer) {
        const { node: id, pid, epoch } = peer;
        nodes.push({ id, role: 'standby', pid, epoch, state: 'running' });
      }
      const media = context.media?.port;
      if (media)
        nodes.push({
          id: `${context.config.name}-media`,
          role: 'media',
          pid: media.pid,
          epoch: media.epoch,
          state: media.connected ? 'running' : 'down',
        });
      return json({ nodes });
    },
  },
  {
    method: 'POST',
    path: '/api/v1/switchover',
    summary: 'Lets the standby take over. The node that was active begins anew, as its standby.',
    access: 'token',
    responses: STARTED,
    handle(context) {
      const pair = readyPair(context);
      const to = pair.peer!.node;
      pair.switchOver();
      return json({ from: context.name, to }, 202);
    },
  },
  {
    method: 'POST',
    path: '/api/v1/restart',
    summary:
      'Starts both nodes again, one after the other, while the other one serves: first the standby, then, by a switchover, this one. The media process goes on.',
    access: 'token',
    responses: STARTED,
    handle(context) {
      const pair = readyPair(context);
      const to = pair.peer!.node;
      if (!context.restart()) throw new Problem(409, 'The nodes are being restarted already.');
      return json({ from: context.name, to }, 202);
    },
  },
];
