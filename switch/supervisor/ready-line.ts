/** The one line that says the switch is ready, with what a newcomer needs next. */
import type { Config } from '../control/config/schema.ts';
import type { ReadyInfo } from './messages.ts';

/** Only demo passwords may be shown: they are public anyway. */
const DEMO_PASSWORD = /^demo-/;

/** `users 1001-1010 (password demo-<user>)` for demo users, '' when there are none. */
function demoAccounts(config: Config): string {
  const demo = config.users.filter(
    (entry) => entry.password !== undefined && DEMO_PASSWORD.test(entry.password),
  );
  return demo.map((entry) => `users ${entry.range ?? entry.user} (password ${entry.password})`).join(', ');
}

/**
 * @param token the generated API token, '' when none was generated.
 * @returns one line, beginning `strowger ready`.
 */
export function readyLine(config: Config, info: ReadyInfo, token: string): string {
  const accounts = demoAccounts(config);
  const parts = [
    `SIP ${info.sip.join(', ')}, ${info.webSocket}`,
    `testbed ${info.web}`,
    `console ${info.web}console${token === '' ? '' : `?token=${token}`}`,
    `API ${info.web}api/v1`,
  ];
  if (token !== '') parts.push(`token ${token}`);
  if (accounts !== '') parts.push(`domain ${config.domains[0]}`, accounts);
  return `strowger ready: ${parts.join(' | ')}`;
}
