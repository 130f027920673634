/** Call and binding records as the core would write them, for tests. */
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { encodeText } from '../../../wasm-core/host/frames.ts';
import type { BindingRecord, CallRecord } from '../../../wasm-core/host/records.ts';

function withStrings(head: Uint8Array, strings: readonly string[]): Uint8Array {
  const parts = strings.map(encodeText);
  const bytes = new Uint8Array(head.length + parts.reduce((sum, part) => sum + 2 + part.length, 0));
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes[at] = part.length & 0xff;
    bytes[at + 1] = part.length >> 8;
    bytes.set(part, at + 2);
    at += 2 + part.length;
  }
  return bytes;
}

/** A call record; everything not given is 0 or ''. */
export function callRecord(call: Partial<CallRecord>): Uint8Array {
  const head = new Uint8Array(abi.CR_STRINGS);
  const view = new DataView(head.buffer);
  view.setFloat64(abi.CR_STARTED, call.startedUs ?? 0, true);
  view.setFloat64(abi.CR_RINGING, call.ringingUs ?? 0, true);
  view.setFloat64(abi.CR_ANSWERED, call.answeredUs ?? 0, true);
  view.setFloat64(abi.CR_ENDED, call.endedUs ?? 0, true);
  view.setUint32(abi.CR_SLOT, call.slot ?? 0, true);
  view.setUint32(abi.CR_GENERATION, call.generation ?? 0, true);
  view.setUint8(abi.CR_STATE, call.state ?? 0);
  view.setUint8(abi.CR_ENDED_BY, call.endedBy ?? 0);
  view.setUint8(abi.CR_CALLER_TRANSPORT, call.callerTransport ?? 0);
  view.setUint8(abi.CR_CALLEE_TRANSPORT, call.calleeTransport ?? 0);
  view.setUint16(abi.CR_CAUSE, call.cause ?? 0, true);
  view.setUint16(abi.CR_FLAGS, call.anchored ? abi.CRF_ANCHORED : 0, true);
  view.setFloat32(abi.CR_SETUP_US, call.setupUs ?? 0, true);
  view.setFloat32(abi.CR_QUEUE_LAST_US, call.queueLastUs ?? 0, true);
  view.setFloat32(abi.CR_QUEUE_MAX_US, call.queueMaxUs ?? 0, true);
  view.setFloat32(abi.CR_CORE_LAST_US, call.coreLastUs ?? 0, true);
  view.setFloat32(abi.CR_CORE_MAX_US, call.coreMaxUs ?? 0, true);
  const { queue = 0, core = 0, media = 0, setup = 0 } = call.breaches ?? {};
  [queue, core, media, setup].forEach((breaches, stage) => {
    view.setUint8(abi.CR_BREACHES + stage, breaches);
  });
  return withStrings(head, [call.callId ?? '', call.from ?? '', call.to ?? '', call.trunk ?? '']);
}

/** A binding record; everything not given is 0 or ''. */
export function bindingRecord(binding: Partial<BindingRecord>): Uint8Array {
  const head = new Uint8Array(abi.BR_STRINGS);
  const view = new DataView(head.buffer);
  view.setFloat64(abi.BR_EXPIRES, binding.expiresUs ?? 0, true);
  view.setUint8(abi.BR_TRANSPORT, binding.transport ?? 0);
  view.setUint16(abi.BR_Q, Math.round((binding.q ?? 0) * 1000), true);
  view.setUint16(abi.BR_PORT, binding.port ?? 0, true);
  view.setUint16(abi.BR_REG_ID, binding.regId ?? 0, true);
  view.setUint32(abi.BR_FLOW, binding.flow ?? 0, true);
  if (binding.address) head.set(binding.address, abi.BR_ADDRESS);
  const { user = '', contact = '', instanceId = '', path = '', userAgent = '' } = binding;
  return withStrings(head, [user, contact, instanceId, path, userAgent]);
}

/** Records as EF_QUERY_REPLY carries them. */
export function queryPayload(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + 4 + record.length, 0));
  let at = 0;
  for (const record of records) {
    new DataView(bytes.buffer).setUint32(at, record.length, true);
    bytes.set(record, at + 4);
    at += 4 + record.length;
  }
  return bytes;
}
