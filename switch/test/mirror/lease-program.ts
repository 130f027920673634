/**
 * One process of a pair with its grantor: `grantor SOCKET LEASE_MS GENERATION` or `node SOCKET LEASE_MS NAME`. A node writes its changes of
 * role as lines `ROLE EPOCH TIME`, with the time in ms since 1970. It has no link to its peer: the grantor's word alone decides.
 */
import { pino } from 'pino';
import { MediaClient } from '../../../media/client.ts';
import { CallTable } from '../../../media/control/call-table.ts';
import { Lease } from '../../../media/control/lease.ts';
import { MediaServer } from '../../../media/control/server.ts';
import { MediaService } from '../../../media/control/service.ts';
import { FakeEngine } from '../../../media/test/support/fake-engine.ts';
import { RoleKeeper } from '../../control/role-keeper.ts';

const [role, socket = '', lease = '', last = ''] = process.argv.slice(2);
const leaseMs = Number(lease);

function say(what: string, epoch = 0): void {
  process.stdout.write(`${what} ${epoch} ${performance.timeOrigin + performance.now()}\n`);
}

async function grant(): Promise<void> {
  const edge = {
    totals: async () => ({ legs: 0, legsMax: 1, packetsIn: 0, packetsOut: 0, dropped: {} }),
  };
  const parts = {
    calls: new CallTable(new FakeEngine(), 1),
    edge,
    workers: () => [],
    portsMax: 1,
    lease: new Lease({ leaseMs, generation: Number(last) }),
    offers: { again: () => undefined },
  };
  const log = pino({ level: 'silent' });
  await new MediaServer(new MediaService(parts, log), log).listen(socket);
  say('listening');
}

function takePart(): void {
  const client = new MediaClient({ socket, node: last, leaseMs });
  const keeper = new RoleKeeper({ leaseMs, peer: true }, client, (action) => {
    if (action.type === 'promote') {
      client.activate(action.epoch, null);
      say('active', action.epoch);
    } else if (action.type === 'stepDown') {
      client.deactivate();
      say('fenced');
      keeper.feed({ type: 'restarted' });
    }
  });
  say('standby');
}

if (role === 'grantor') void grant();
else takePart();
