/**
 * What the load generator itself takes: round trips at a steady pace beside the load, with the switch's own answer
 * to OPTIONS, and with a server that only echoes.
 */
import { connect, nowMs, openSocket } from './connect.ts';
import * as metrics from './metrics.ts';
import { options } from './requests.ts';
import type { Settings } from './settings.ts';

const ROUNDS = 10;
const EVERY_MS = 100;
/** About the size of an OPTIONS. */
const ECHOED = 'x'.repeat(350);

/** One second of it. @param echo URL of the echo server; '' = there is none */
export async function probe(settings: Settings, echo: string): Promise<void> {
  const user = String(settings.firstUser);
  const account = { user, domain: settings.domain, password: '' };
  const opened: { close: () => void }[] = [];
  try {
    const asking = await connect(settings.target, account);
    opened.push(asking);
    const roundTrip = echo === '' ? undefined : await echoing(echo, opened);
    for (let round = 0; round < ROUNDS; round++) {
      metrics.optionsMs.add((await options(asking.agent)).tookMs);
      if (roundTrip) metrics.echoMs.add(await roundTrip());
      await new Promise<void>((done) => setTimeout(done, EVERY_MS));
    }
  } finally {
    for (const { close } of opened) close();
  }
}

async function echoing(url: string, opened: { close: () => void }[]): Promise<() => Promise<number>> {
  let arrived: (() => void) | undefined;
  const connection = await openSocket(url, () => arrived?.());
  opened.push(connection);
  return () => {
    const sentMs = nowMs();
    return new Promise((resolve) => {
      arrived = () => resolve(nowMs() - sentMs);
      connection.send(ECHOED);
    });
  };
}
