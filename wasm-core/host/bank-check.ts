/** Checks the settings of a bank (bank.ts), with errors that say what is wrong. */
import { TRANSPORT_COUNT } from '../assembly/abi.ts';
import * as layout from '../assembly/routing/layout.ts';
import type { BankConfig, BankGateway, BankRoute } from './bank.ts';

const PORT_MAX = 65535;
const SHORTEST = 1;

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function checkName(what: string, name: string, bytesMax: number): void {
  const length = byteLength(name);
  if (length < SHORTEST || length > bytesMax) {
    throw new RangeError(`${what} '${name}' is not ${SHORTEST} to ${bytesMax} bytes long`);
  }
}

function checkNumber(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} is ${value}, not ${least} to ${most}`);
  }
}

/** The realm stands in a quoted string of every challenge, and is compared to the letter with what phones send back. */
function checkRealm(realm: string): void {
  checkName('the realm', realm, layout.REALM_BYTES_MAX);
  if (!/^[\x20-\x7e]+$/.test(realm) || /["\\]/.test(realm)) {
    throw new RangeError(`the realm '${realm}' has other than printable characters, or quotes`);
  }
}

function checkGateway({ address, transport, port, priority }: BankGateway): void {
  checkNumber(`the transport of gateway ${address}`, transport, 0, TRANSPORT_COUNT - 1);
  checkNumber(`the port of gateway ${address}`, port, 1, PORT_MAX);
  checkNumber(`the priority of gateway ${address}`, priority, 0, layout.PRIORITY_MAX);
}

function checkRoute({ prefix, trunk, strip, prepend }: BankRoute, trunks: ReadonlySet<string>): void {
  if (!trunks.has(trunk)) {
    throw new RangeError(`the route for '${prefix}' names a trunk '${trunk}' that is not there`);
  }
  checkNumber(`strip of the route for '${prefix}'`, strip, 0, layout.USER_BYTES_MAX);
  if (byteLength(prepend) > layout.PREPEND_BYTES_MAX) {
    throw new RangeError(`the route for '${prefix}' prepends more than ${layout.PREPEND_BYTES_MAX} bytes`);
  }
}

/** @throws RangeError for a value out of its range, or a trunk or user that is there twice or not at all. */
export function checkBankConfig(config: BankConfig): void {
  checkRealm(config.realm);
  if (config.digest.length === 0 || new Set(config.digest).size !== config.digest.length) {
    throw new RangeError('digest lists no algorithm, or one twice');
  }
  for (const domain of config.domains) checkName('domain', domain, layout.DOMAIN_BYTES_MAX);
  const users = new Set<string>();
  for (const { user, ha1Md5, ha1Sha256 } of config.users) {
    checkName('user', user, layout.USER_BYTES_MAX);
    if (users.has(user)) throw new RangeError(`user '${user}' is there twice`);
    users.add(user);
    if (ha1Md5.length !== 16 || ha1Sha256.length !== 32) {
      throw new RangeError(`the password hashes of user '${user}' have the wrong length`);
    }
  }
  const trunks = new Set<string>();
  for (const { name, gateways } of config.trunks) {
    checkName('trunk', name, layout.TRUNK_NAME_BYTES_MAX);
    if (trunks.has(name)) throw new RangeError(`trunk '${name}' is there twice`);
    trunks.add(name);
    for (const gateway of gateways) checkGateway(gateway);
  }
  for (const route of config.routes) checkRoute(route, trunks);
}
