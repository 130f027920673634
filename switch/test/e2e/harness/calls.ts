/** What several scenarios do with phones. */
import type { Baresip } from './baresip.ts';

/** The caller calls the callee by its address, who answers; resolves when both see the call established. */
export async function connectPhones(caller: Baresip, callee: Baresip): Promise<void> {
  await caller.dial(callee.aor);
  await callee.answer();
  await Promise.all([caller.event('CALL_ESTABLISHED'), callee.event('CALL_ESTABLISHED')]);
}
