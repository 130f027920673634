/** What is measured. The names are those of the thresholds (budgets.ts). */
import { Counter, Gauge, Trend } from 'k6/metrics';

/** REGISTER until its 200, with the challenge in between. */
export const registerMs = new Trend('sip_register_ms', true);
/** INVITE until 180, with the challenge in between. */
export const inviteTo180Ms = new Trend('sip_invite_to_180_ms', true);
/** INVITE until 200, with the challenge in between. */
export const callSetupMs = new Trend('sip_call_setup_ms', true);
/** BYE until its 200. */
export const byeMs = new Trend('sip_bye_ms', true);
/** OPTIONS until the switch's own 200: one message there and one back. */
export const optionsMs = new Trend('sip_options_ms', true);
/** As many bytes there and back, with a WebSocket server that only echoes. */
export const echoMs = new Trend('echo_ms', true);

/** Calls begun, with the registrations that they need. */
export const calls = new Counter('sip_calls');
/** Those of them that did not go as they should; tag `reason`. */
export const callsFailed = new Counter('sip_calls_failed');
/** Registrations begun by the register script. */
export const registrations = new Counter('sip_registrations');
export const registrationsFailed = new Counter('sip_registrations_failed');
/** Calls per second that were due when a call began; its maximum tells how far a breakpoint run got. */
export const ratePerS = new Gauge('load_rate_per_s');
