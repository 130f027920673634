/** What one iteration of k6 does: two users who call each other, or one who registers. */
import exec from 'k6/execution';
import type { Counter, Trend } from 'k6/metrics';
import { connect, type Connected } from './connect.ts';
import type { Algorithm } from './digest.ts';
import * as metrics from './metrics.ts';
import { answerCalls, call, register } from './requests.ts';
import type { Settings } from './settings.ts';
import type { Account } from './user-agent.ts';

/** Failures that a virtual user writes to the log; all are counted. */
const LOGGED_MAX = 3;
let logged = 0;

/** The first sessions of a run warm up the switch and k6; they are counted, but their latency is not. */
const WARM_UP_SESSIONS = 20;

/**
 * Two users connect and register, one calls the other, they hang up and leave. Any deviation is one failed call.
 */
export function callSession(settings: Settings): Promise<void> {
  const [caller, called] = pair(settings);
  return counted(metrics.calls, metrics.callsFailed, async (open) => {
    const answering = await open(settings.target, called);
    const seen = answerCalls(answering.agent, settings.answerDelayMs);
    const calling = await open(settings.target, caller);
    for (const { agent } of [answering, calling]) measure(metrics.registerMs, (await register(agent)).tookMs);

    const { ringingMs, answeredMs, hangUp } = await call(calling.agent, answering.agent.aor);
    if (ringingMs === undefined) throw new Error('INVITE: no 180');
    measure(metrics.inviteTo180Ms, ringingMs);
    measure(metrics.callSetupMs, answeredMs);
    if (settings.holdMs > 0) await new Promise<void>((done) => setTimeout(done, settings.holdMs));
    measure(metrics.byeMs, (await hangUp()).tookMs);
    if (seen.acks !== 1 || seen.byes !== 1)
      throw new Error(`called side: ${seen.acks} ACK, ${seen.byes} BYE`);

    for (const { agent } of [calling, answering]) await register(agent, 0);
  });
}

/** A user connects, registers, takes the registration back and leaves; only the first REGISTER is measured. */
export function registerSession(settings: Settings): Promise<void> {
  const [user] = pair(settings);
  return counted(metrics.registrations, metrics.registrationsFailed, async (open) => {
    const { agent } = await open(settings.target, user);
    measure(metrics.registerMs, (await register(agent)).tookMs);
    await register(agent, 0);
  });
}

function measure(trend: Trend, ms: number): void {
  if (exec.scenario.iterationInTest >= WARM_UP_SESSIONS) trend.add(ms);
}

/** Counts one piece of work and its failure, and closes what it opened. */
async function counted(
  begun: Counter,
  failed: Counter,
  work: (open: typeof connect) => Promise<void>,
): Promise<void> {
  const opened: Connected[] = [];
  begun.add(1);
  try {
    await work(async (target, account) => {
      const connected = await connect(target, account);
      opened.push(connected);
      return connected;
    });
  } catch (error) {
    const reason = (error as Error).message;
    failed.add(1, { reason });
    if (logged++ < LOGGED_MAX) console.error(reason);
  } finally {
    for (const { close } of opened) close();
  }
}

/** The two users of this iteration: no other that runs at the same time has them. */
function pair({ firstUser, userCount, digest, domain, password }: Settings): [Account, Account] {
  const first = firstUser + 2 * (exec.scenario.iterationInTest % Math.floor(userCount / 2));
  const account = (user: string, prefer: Algorithm): Account => {
    return { user, domain, password: password.replaceAll('<user>', user), prefer };
  };
  return [
    account(String(first), digest === 'md5' ? 'MD5' : 'SHA-256'),
    account(String(first + 1), digest === 'sha-256' ? 'SHA-256' : 'MD5'),
  ];
}
