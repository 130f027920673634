/**
 * Where requests to the sender of the current message go, for the rest of its dialog: the Contact's own
 * address when it is where the message came from, else (NAT, a name, a connection) the source itself.
 */
import { F_ADDRESS, F_FLOW, TRANSPORT_TCP, TRANSPORT_UDP } from '../abi';
import { rxFrame } from '../effects';
import { B_TARGET, aorFind, bindingFirst, bindingNext } from '../registrar/bindings';
import { copy16 } from '../mem/copy';
import { recGen, recSlot } from '../mem/table';
import { contactUriLen, contactUriPtr, fromUriLen, fromUriPtr, hasContact } from '../sip/message';
import { pvLen, pvPtr } from '../sip/param';
import { equalsIgnoreCase } from '../sip/scan';
import {
  uriParam,
  parseIp,
  parseUri,
  uHostLen,
  uHostPtr,
  uPort,
  uUserLen,
  uUserPtr,
  unescapeInto,
} from '../sip/uri';
import { G_ADDRESS, G_FLAGS, G_FLOW, G_PORT, GF_ALIASED, sameAddress, targetFromFrame } from '../target';

/** Target of the sender, and behind it slot and generation of the binding it sent through (streams). */
export const sourceTarget: usize = memory.data(32, 16);
const TRANSPORT: usize = memory.data<u8>([116, 114, 97, 110, 115, 112, 111, 114, 116]);
const TCP: usize = memory.data<u8>([116, 99, 112]);
const contactAddress: usize = memory.data(16, 16);
const userText: usize = memory.data(256, 16);

/** Fills `target` from the current message's source and first Contact. */
export function senderTarget(target: usize, follow: bool): void {
  hasContact();
  contactTarget(target, contactUriPtr, contactUriLen, follow);
}

/**
 * Fills `target` from the current message's source and a Contact URI of it (length 0: none). With `follow`, one that
 * names another address is believed (trunks). A phone that registers over UDP may ask to be called over TCP.
 */
export function contactTarget(target: usize, uri: usize, len: u32, follow: bool): void {
  targetFromFrame(target, rxFrame);
  store<u8>(target, GF_ALIASED, G_FLAGS);
  if (load<u8>(target) != TRANSPORT_UDP || len == 0 || !parseUri(uri, len)) return;
  if (!parseIp(uHostPtr, uHostLen, contactAddress)) return;
  if (!follow && !sameAddress(contactAddress, rxFrame + F_ADDRESS)) return;
  copy16(target + G_ADDRESS, contactAddress);
  store<u16>(target + G_PORT, uPort == 0 ? 5060 : uPort);
  store<u8>(target, 0, G_FLAGS);
  if (uriParam(TRANSPORT, 9) && pvLen == 3 && equalsIgnoreCase(pvPtr, TCP, 3))
    store<u8>(target, TRANSPORT_TCP);
}

/** `contactTarget` into `sourceTarget`, with the binding of the From user whose connection this is. */
export function sourcePrepare(): void {
  senderTarget(sourceTarget, false);
  store<u64>(sourceTarget, 0, 24);
  if (load<u8>(sourceTarget) == TRANSPORT_UDP) return;
  if (!parseUri(fromUriPtr, fromUriLen) || uUserLen > 128) return;
  const aor = aorFind(userText, unescapeInto(userText, uUserPtr, uUserLen));
  if (aor == 0) return;
  for (let b = bindingFirst(aor); b != 0; b = bindingNext(b)) {
    if (load<u32>(b + B_TARGET + G_FLOW) != load<u32>(rxFrame + F_FLOW)) continue;
    store<u32>(sourceTarget, recSlot(b), 24);
    store<u32>(sourceTarget, recGen(b), 28);
    return;
  }
}
