/**
 * Defects that are planted into test builds of the core, to see whether the simulator finds them. Each is one change of one place,
 * of the kind that a tired engineer makes.
 */
export interface Defect {
  /** Of the file of its build, too. */
  name: string;
  /** What is wrong then. */
  what: string;
  /** In wasm-core/assembly. */
  file: string;
  /** Stands there exactly once... */
  find: string;
  /** ...and becomes this. */
  replace: string;
}

export const DEFECTS: readonly Defect[] = [
  {
    name: 'lost-timer-b',
    what: 'an INVITE to a callee that never answers is never given up',
    file: 'transaction/branch.ts',
    find: 'store<u64>(f + FK_DUE_TIMEOUT, nowMs + timeoutMs()); // timer B',
    replace: '',
  },
  {
    name: 'lost-timer-c',
    what: 'a callee that has sent a provisional response may ring for ever',
    file: 'transaction/branch.ts',
    find: 'store<u64>(fork + FK_DUE_TIMEOUT, nowMs + (initU32(I_TIMER_C_MS) as u64));',
    replace: 'store<u64>(fork + FK_DUE_TIMEOUT, 0);',
  },
  {
    name: 'lost-timer-h',
    what: 'a context whose final response is not acknowledged is kept for ever',
    file: 'transaction/invite.ts',
    find: 'store<u64>(tx + TX_DUE_END, nowMs + timeoutMs()); // timer H',
    replace: '',
  },
  {
    name: 'lost-timer-g',
    what: 'a final response is repeated once only',
    file: 'transaction/invite.ts',
    find: 'store<u64>(tx + TX_DUE_LAST, nowMs + (interval as u64));',
    replace: 'store<u64>(tx + TX_DUE_LAST, 0);',
  },
  {
    name: 'early-timer',
    what: 'timers of a second and more fire when their bucket is sorted, up to a second early',
    file: 'mem/wheel.ts',
    find: 'if (due > elapsedMs)\n        link(node, due); // into a finer level',
    replace: 'if (due > elapsedMs && foundLevel < 2)\n        link(node, due); // into a finer level',
  },
  {
    name: 'wrong-branch',
    what: 'CANCEL and hop-by-hop ACK carry another branch than their INVITE',
    file: 'transaction/outgoing.ts',
    find: '  const frame = begin(tx, fork, method);\n',
    replace:
      '  store<u64>(tx + TX_LOOP, load<u64>(tx + TX_LOOP) ^ 1);\n  const frame = begin(tx, fork, method);\n',
  },
  {
    name: 'dialog-cookie-not-checked',
    what: 'a dialog cookie that was changed is believed',
    file: 'identity.ts',
    find: 'if (load<u64>(decoded + body) != mac(decoded, body)) return false;',
    replace: '',
  },
  {
    name: 'branch-cookie-not-checked',
    what: 'a branch of ours that was changed is believed',
    file: 'identity.ts',
    find: 'if (load<u64>(opened + body) != mac(opened, body)) return false;',
    replace: '',
  },
  {
    name: 'cookie-of-another-call',
    what: 'a cookie holds in any call, not only in its own',
    file: 'identity.ts',
    find: 'store<u64>(macInput + len, callHash);',
    replace: 'store<u64>(macInput + len, 0);',
  },
  {
    name: 'table-off-by-one',
    what: 'a table takes one record more than it has room for',
    file: 'mem/table.ts',
    find: 'if (slot == load<u32>(table + T_COUNT)) return 0;',
    replace: 'if (slot > load<u32>(table + T_COUNT)) return 0;',
  },
  {
    name: 'cancel-race',
    what: 'a 2xx that crosses the CANCEL is passed on after the 487',
    file: 'transaction/branch.ts',
    find: '(winner != 0 && winner != mine) || (load<u8>(tx + TX_STATE) != TXS_ACCEPTED && !open)',
    replace: 'winner != 0 && winner != mine',
  },
  {
    name: 'two-answers',
    what: 'when two devices answer, the caller hears both',
    file: 'transaction/branch.ts',
    find: '(winner != 0 && winner != mine) || (load<u8>(tx + TX_STATE) != TXS_ACCEPTED && !open)',
    replace: 'load<u8>(tx + TX_STATE) != TXS_ACCEPTED && !open',
  },
  {
    name: 'others-ring-on',
    what: 'when one device has answered, the others are not cancelled',
    file: 'transaction/branch.ts',
    find: 'if (first && nextBranch(firstBranch(tx)) != 0) {',
    replace: 'if (first && nextBranch(firstBranch(tx)) == 0) {',
  },
  {
    name: 'late-cancel-forgotten',
    what: 'a CANCEL that has to wait for a provisional response is never sent',
    file: 'transaction/branch.ts',
    find: 'if (load<u32>(fork + FK_CANCEL) != 0) {',
    replace: 'if (load<u32>(fork + FK_CANCEL) == 2) {',
  },
  {
    name: 'leaked-transaction',
    what: 'a context that has ended is not given back',
    file: 'transaction/invite.ts',
    find: '      transactionFree(tx);\n      return false;',
    replace: '      return false;',
  },
  {
    name: 'leaked-block',
    what: 'the strings of an answered call are not given back',
    file: 'call/call.ts',
    find: '  blockFree(load<u32>(call + K_ANSWER));\n',
    replace: '',
  },
  {
    name: 'binding-lives-on',
    what: 'a binding holds for a minute longer than it was told',
    file: 'registrar/bindings.ts',
    find: '  store<u64>(b + B_EXPIRES, expiresMs);\n  timerSet(b + B_TIMER, expiresMs);',
    replace: '  store<u64>(b + B_EXPIRES, expiresMs + 60000);\n  timerSet(b + B_TIMER, expiresMs + 60000);',
  },
  {
    name: 'max-forwards-kept',
    what: 'a forwarded request has as many hops left as before',
    file: 'proxy/forward.ts',
    find: 'decimal(maxForwards - 1);',
    replace: 'decimal(maxForwards);',
  },
  {
    name: 'wrong-length',
    what: 'with a body from the media service, Content-Length is that of the old one',
    file: 'proxy/forward.ts',
    find: 'if (mediaDone) writeBody(mediaBody, mediaBodyLen);',
    replace: 'if (mediaDone) writeBody(mediaBody, bodyLen);',
  },
  {
    name: 'wrong-password',
    what: 'a wrong digest response is accepted',
    file: 'auth/digest.ts',
    find: '  if (!same) return AUTH_BAD;\n',
    replace: '',
  },
  {
    name: 'replayed-credentials',
    what: 'credentials that were seen in another request are accepted again',
    file: 'auth/digest.ts',
    find: 'if (!isFreshNonce() || !isNewCount()) return AUTH_STALE;',
    replace: 'if (!isFreshNonce()) return AUTH_STALE;',
  },
  {
    name: 'ack-not-heeded',
    what: 'a failure is repeated although its ACK has come',
    file: 'transaction/invite.ts',
    find: '    store<u8>(tx + TX_STATE, TXS_CONFIRMED);\n    store<u64>(tx + TX_DUE_LAST, 0);',
    replace: '    store<u8>(tx + TX_STATE, TXS_CONFIRMED);',
  },
  {
    name: 'trying-passed-on',
    what: '100 is passed on to the caller',
    file: 'transaction/branch.ts',
    find: 'statusCode > 100 && load<u8>(tx + TX_STATE) == TXS_PROCEEDING',
    replace: 'statusCode >= 100 && load<u8>(tx + TX_STATE) == TXS_PROCEEDING',
  },
  {
    name: 'media-never-late',
    what: 'a message waits for the media service for ever',
    file: 'call/media.ts',
    find: '  settle(node - PN_TIMER, 503, 0, 0, 0, 0);\n',
    replace: '',
  },
  {
    name: 'call-ends-twice',
    what: 'the end of a call is told again when it is told to end again',
    file: 'call/call.ts',
    find: '  if (load<f64>(call + K_ENDED) != 0) return;\n',
    replace: '',
  },
  {
    name: 'silent-when-full',
    what: 'a full table is answered with silence',
    file: 'transaction/invite.ts',
    find: '  const tx = transactionNew(transactionKey());\n  if (tx == 0) return refuseBusy();',
    replace: '  const tx = transactionNew(transactionKey());\n  if (tx == 0) return;',
  },
  {
    name: 'old-register-wins',
    what: 'a REGISTER that was overtaken by a later one undoes it',
    file: 'registrar/stage.ts',
    find: '  if (known != 0 && isOutdated(known)) return 500;\n',
    replace: '',
  },
  {
    name: 'media-after-the-end',
    what: 'an answer that is repeated while the switch ends its call opens media again, which nobody closes',
    file: 'transaction/branch.ts',
    find: 'if (callState(call) >= CALL_STATE_ENDING) {',
    replace: 'if (callState(call) > CALL_STATE_ENDING + 1) {',
  },
  {
    name: 'stray-answer',
    what: 'an answer that comes after the end of its context is passed on',
    file: 'proxy/response.ts',
    find: 'const stray = tableHadOnce(transactionTable(), brA, brB);',
    replace: 'const stray = false;',
  },
  {
    name: 'refusal-forgotten',
    what: 'an INVITE that was refused, repeated, is judged anew',
    file: 'transaction/refused.ts',
    find: 'nowMs < load<u64>(entry, 8) ? load<u32>(entry, 16) : 0',
    replace: 'nowMs < load<u64>(entry, 8) ? 0 : 0',
  },
];
