/** Methods (METHOD_* of abi.ts): one table, compared in full, upper case as written (RFC 3261 7.1). */
import { METHOD_COUNT, METHOD_UNKNOWN } from '../abi';

const NAMES: StaticArray<string> = [
  '',
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'PRACK',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'PUBLISH',
];

/** METHOD_* of a name, METHOD_UNKNOWN when it is another. */
export function methodOf(ptr: usize, len: u32): u32 {
  for (let id: u32 = 1; id < METHOD_COUNT; id++) {
    const name = NAMES[id];
    if ((name.length as u32) != len || (name.charCodeAt(0) as u32) != load<u8>(ptr)) continue;
    let i: u32 = 1;
    while (i < len && (name.charCodeAt(i) as u32) == load<u8>(ptr + i)) i++;
    if (i == len) return id;
  }
  return METHOD_UNKNOWN;
}
