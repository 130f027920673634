/** What the `strowger` command can do: one entry for each word. */
import type { Call, CallDetail, Registration } from '../api/shapes.ts';
import { type Client, CommandError } from './client.ts';
import { duration, table, user } from './table.ts';

/** How a command answers: `json` as it came, or `text`. */
export interface Output {
  json: unknown;
  text: string;
}

export interface Command {
  /** Of its arguments, as the usage shows them. */
  usage: string;
  what: string;
  /** How many words follow at least and at most. */
  words: readonly [number, number];
  options?: readonly string[];
  /** @param say shows progress. @throws CommandError */
  run(
    client: Client,
    words: readonly string[],
    options: ReadonlySet<string>,
    say: (line: string) => void,
  ): Promise<Output>;
}

interface NodeView {
  id: string;
  role: 'active' | 'standby' | 'media';
  pid: number;
  epoch: number;
  state: string;
  activeSince?: string;
  takeoverMs?: number;
  mirror?: { synced: boolean; lagRecords: number; lagFrames: number; unmirrored: number };
}

const LOOK_MS = 50;
/** A switchover takes milliseconds, a restart seconds. */
const PATIENCE_MS = 60_000;

async function nodesOf(client: Client): Promise<NodeView[]> {
  return (await client.ask<{ nodes: NodeView[] }>('GET', 'nodes')).nodes;
}

function remark(node: NodeView, active: NodeView | undefined): string {
  if (node.role === 'standby') {
    const { mirror } = active ?? {};
    if (mirror === undefined) return '';
    if (!mirror.synced) return 'does not have everything yet';
    return mirror.lagRecords + mirror.lagFrames === 0
      ? 'has everything'
      : `has everything but ${mirror.lagRecords} records and ${mirror.lagFrames} frames on their way`;
  }
  if (node.activeSince === undefined) return '';
  const since = duration(Date.now() - Date.parse(node.activeSince));
  return `for ${since}, took over within ${node.takeoverMs} ms`;
}

function nodeTable(nodes: readonly NodeView[]): string {
  const active = nodes.find(({ role }) => role === 'active');
  return table([
    ['NODE', 'ROLE', 'STATE', 'PID', 'EPOCH', ''],
    ...nodes.map((node) => [
      node.id,
      node.role,
      node.state,
      String(node.pid),
      String(node.epoch),
      remark(node, active),
    ]),
  ]);
}

/** Waits until `done`; while nodes change places nobody may answer. */
async function watch(
  client: Client,
  what: string,
  done: (active: NodeView, nodes: readonly NodeView[]) => boolean,
): Promise<NodeView[]> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const nodes = await nodesOf(client).catch((error: unknown) => {
      if (error instanceof CommandError && error.exitCode === 3) return [];
      throw error;
    });
    const active = nodes.find(({ role }) => role === 'active');
    if (active !== undefined && done(active, nodes)) return nodes;
    if (performance.now() > untilMs)
      throw new CommandError(
        `${what}: not within ${duration(PATIENCE_MS)}; the log of the switch says why`,
        1,
      );
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const hasStandby = (active: NodeView, nodes: readonly NodeView[]): boolean =>
  active.mirror?.synced === true && nodes.some(({ role }) => role === 'standby');

async function switchover(client: Client, say: (line: string) => void): Promise<Output> {
  const before = (await nodesOf(client)).find(({ role }) => role === 'active');
  const { from, to } = await client.ask<{ from: string; to: string }>('POST', 'switchover');
  say(`${from} gives way to ${to} ...`);
  await watch(client, to, (active) => active.pid !== before?.pid);
  say(`${to} serves; ${from} begins anew ...`);
  const nodes = await watch(
    client,
    from,
    (active, all) => active.pid !== before?.pid && hasStandby(active, all),
  );
  return { json: { nodes }, text: nodeTable(nodes) };
}

async function restart(client: Client, say: (line: string) => void): Promise<Output> {
  const before = await nodesOf(client);
  const pidOf = (id: string): number | undefined => before.find((node) => node.id === id)?.pid;
  const { from, to } = await client.ask<{ from: string; to: string }>('POST', 'restart');
  say(`${to} begins anew; ${from} serves ...`);
  await watch(client, to, (active, nodes) =>
    nodes.some(
      ({ id, pid }) => id === to && pid !== pidOf(to) && (active.id === to || hasStandby(active, nodes)),
    ),
  );
  say(`${to} is back and takes over ...`);
  await watch(client, to, (active) => active.id === to);
  say(`${to} serves; ${from} begins anew ...`);
  const nodes = await watch(
    client,
    from,
    (active, all) => hasStandby(active, all) && all.some(({ id, pid }) => id === from && pid !== pidOf(from)),
  );
  return { json: { nodes }, text: nodeTable(nodes) };
}

function callRow(call: Call): string[] {
  const since = duration(Date.now() - Date.parse(call.startedAt));
  return [call.id, call.state, since, user(call.from), user(call.to), call.trunk ?? '', call.callId];
}

function callText(call: CallDetail): string {
  const head = table([
    ['call', call.id],
    ['Call-ID', call.callId],
    ['from', `${user(call.from)} (${call.callerTransport})`],
    ['to', `${user(call.to)} (${call.calleeTransport})`],
    ['state', call.state],
    ['started', call.startedAt],
    ['ringing', call.ringingAt ?? '-'],
    ['answered', call.answeredAt ?? '-'],
    ['trunk', call.trunk ?? '-'],
  ]);
  const legs = call.legs.map((leg) => [
    String(leg.leg),
    leg.codec ?? '-',
    leg.remote ?? '-',
    `${leg.packetsIn}/${leg.packetsOut}`,
    `${leg.lossPct.toFixed(1)} %`,
    `${leg.jitterMs.toFixed(1)} ms`,
    leg.mos === null ? '-' : leg.mos.toFixed(2),
  ]);
  if (legs.length === 0) return head;
  return `${head}\n\n${table([['LEG', 'CODEC', 'FROM', 'PACKETS IN/OUT', 'LOSS', 'JITTER', 'MOS'], ...legs])}`;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  status: {
    usage: '',
    what: 'nodes, roles, what the standby has, calls and registrations',
    words: [0, 0],
    async run(client) {
      const nodes = await nodesOf(client);
      const { total: calls } = await client.ask<{ total: number }>('GET', 'calls?limit=1');
      const { total: registrations } = await client.ask<{ total: number }>('GET', 'registrations?limit=1');
      return {
        json: { nodes, calls, registrations },
        text: `${nodeTable(nodes)}\n\n${calls} calls, ${registrations} registrations`,
      };
    },
  },
  calls: {
    usage: '[TEXT]',
    what: 'running calls; with a text, those whose Call-ID, caller or callee has it',
    words: [0, 1],
    async run(client, [search]) {
      const calls = await client.all<Call>('calls', 'calls', search);
      const heading = ['ID', 'STATE', 'FOR', 'FROM', 'TO', 'TRUNK', 'CALL-ID'];
      return {
        json: { calls },
        text: calls.length === 0 ? 'no calls' : table([heading, ...calls.map(callRow)]),
      };
    },
  },
  call: {
    usage: 'ID',
    what: 'one call with its media',
    words: [1, 1],
    async run(client, [id = '']) {
      const call = await client.ask<CallDetail>('GET', `calls/${encodeURIComponent(id)}`);
      return { json: call, text: callText(call) };
    },
  },
  hangup: {
    usage: 'ID',
    what: 'ends a call',
    words: [1, 1],
    async run(client, [id = '']) {
      const ended = await client.ask('DELETE', `calls/${encodeURIComponent(id)}`);
      return { json: ended, text: `call ${id} is being ended` };
    },
  },
  registrations: {
    usage: '[TEXT]',
    what: 'registered contacts; with a text, those that have it',
    words: [0, 1],
    async run(client, [search]) {
      const registrations = await client.all<Registration>('registrations', 'registrations', search);
      const rows = registrations.map((one) => [
        user(one.aor),
        one.contact,
        one.transport,
        one.source ?? 'not reachable',
        duration(one.expiresInS * 1000),
        one.userAgent,
      ]);
      return {
        json: { registrations },
        text:
          rows.length === 0
            ? 'no registrations'
            : table([['AOR', 'CONTACT', 'TRANSPORT', 'SOURCE', 'EXPIRES IN', 'USER-AGENT'], ...rows]),
      };
    },
  },
  switchover: {
    usage: '',
    what: 'lets the standby take over',
    words: [0, 0],
    run: (client, _words, _options, say) => switchover(client, say),
  },
  restart: {
    usage: '--rolling',
    what: 'starts both nodes again, one after the other, while the other one serves',
    words: [0, 0],
    options: ['rolling'],
    run(client, _words, options, say) {
      if (!options.has('rolling'))
        throw new CommandError(
          'restart --rolling: both nodes, one after the other; there is no other restart',
          2,
        );
      return restart(client, say);
    },
  },
};
