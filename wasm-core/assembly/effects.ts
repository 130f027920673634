/**
 * What the core wants done: frames in the effect buffer, in order (layout: abi.ts).
 */
import {
  ABI_VERSION,
  C_REQUESTS_OUT,
  C_RESPONSES_OUT,
  EF_LOG,
  EF_SEND,
  F_ADDRESS,
  F_ARG0,
  F_ARG1,
  F_KIND,
  F_LENGTH,
  F_LISTENER,
  F_PORT,
  F_TRANSPORT,
  F_VERSION,
  FRAME_HEADER_BYTES,
  LOG_PER_STEP_MAX,
  MESSAGE_BYTES_MAX,
} from './abi';
import { count } from './counters';
import { alloc } from './mem/arena';
import { clear, copy16 } from './mem/copy';
import { hold } from './mirror/held';
import { targetToFrame } from './target';
import { bytes, cursor, writeAt } from './text';

export { count, countAdd } from './counters';
export { respond } from './transaction/respond';

/** Room for what one step may say. */
const EFFECT_BYTES: usize = 6 << 20;
/** Left free before an event is begun: a fork to 16 of the largest messages, and the answers. */
const EFFECT_RESERVE: usize = 5 << 18;
/** Longest text in an EF_LOG. */
const LOG_BYTES_MAX: u32 = 256;

let base: usize = 0;
let at: usize = 0;
let logs: u32 = 0;

/** Time of the current event: µs and ms since the Unix epoch. */
export let nowUs: f64 = 0;
export let nowMs: u64 = 0;
/** Frame of the current event; 0 while timers run. */
export let rxFrame: usize = 0;

export function effectsInit(): void {
  base = alloc(EFFECT_BYTES + 128);
  at = base;
}

export function effectsReset(): void {
  at = base;
  logs = 0;
}

export function effectsPtr(): usize {
  return base;
}

export function effectsLength(): u32 {
  return (at - base) as u32;
}

/** Whether the buffer has to be emptied before the next event. */
export function effectsLow(): bool {
  return at - base > EFFECT_BYTES - EFFECT_RESERVE;
}

export function setTime(us: f64): void {
  nowUs = us;
  nowMs = (us / 1000) as u64;
}

export function setRxFrame(frame: usize): void {
  rxFrame = frame;
}

/** Opens a frame and sets the text cursor to its payload. */
export function frameBegin(kind: u32): usize {
  clear(at, FRAME_HEADER_BYTES);
  store<u8>(at + F_KIND, kind);
  store<u8>(at + F_VERSION, ABI_VERSION);
  writeAt(at + FRAME_HEADER_BYTES);
  return at;
}

/** Closes the open frame at the text cursor. */
export function frameEnd(): void {
  const length = cursor - at - FRAME_HEADER_BYTES;
  store<u32>(at + F_LENGTH, length as u32);
  at += ((FRAME_HEADER_BYTES as usize) + length + 7) & ~7;
}

/** Appends a frame that was closed before and kept. */
export function frameCopy(frame: usize, len: u32): void {
  memory.copy(at, frame, len);
  at += (len + 7) & ~7;
}

/** Opens a message to `target`; write it with text.ts, then `sendRequestEnd` or `sendResponseEnd`. */
export function sendBegin(target: usize): usize {
  const frame = frameBegin(EF_SEND);
  targetToFrame(target, frame);
  return frame;
}

/** Closes a message. One that is larger than the largest datagram is not sent. */
function sendEnd(frame: usize, counter: u32): void {
  if (cursor - frame - FRAME_HEADER_BYTES > MESSAGE_BYTES_MAX) return;
  count(counter + (load<u8>(frame + F_TRANSPORT) as u32));
  frameEnd();
}

export function sendRequestEnd(frame: usize, methodId: u32): void {
  sendEnd(frame, C_REQUESTS_OUT + methodId * 8);
}

/** Like `sendRequestEnd`, but what is written is kept until the standby has its call. False: it was sent at once. */
export function sendRequestHold(frame: usize, methodId: u32): bool {
  const length = cursor - frame - FRAME_HEADER_BYTES;
  store<u32>(frame + F_LENGTH, length as u32);
  if (length > MESSAGE_BYTES_MAX || !hold(frame, cursor)) {
    sendRequestEnd(frame, methodId);
    return false;
  }
  count(C_REQUESTS_OUT + methodId * 8 + (load<u8>(frame + F_TRANSPORT) as u32));
  return true;
}

/** Like `sendResponseEnd`, but what is written is kept until the standby has its call (mirror/held.ts). False: it was sent at once. */
export function sendResponseHold(frame: usize, status: u32): bool {
  const length = cursor - frame - FRAME_HEADER_BYTES;
  store<u32>(frame + F_LENGTH, length as u32);
  if (length > MESSAGE_BYTES_MAX || !hold(frame, cursor)) {
    sendResponseEnd(frame, status);
    return false;
  }
  count(C_RESPONSES_OUT + (status / 100) * 8 + (load<u8>(frame + F_TRANSPORT) as u32));
  return true;
}

export function sendResponseEnd(frame: usize, status: u32): void {
  sendEnd(frame, C_RESPONSES_OUT + (status / 100) * 8);
}

/** Keeps the listener that the current event came in by: answers leave from where the request arrived. */
export function sendFromHere(frame: usize): void {
  if (rxFrame != 0) store<u16>(frame + F_LISTENER, load<u16>(rxFrame + F_LISTENER));
}

/** Tells the operator (LOG_*), at most LOG_PER_STEP_MAX times a step. The source is that of the current event. */
export function logEvent(code: u32, status: u32, ptr: usize, len: u32): void {
  if (logs >= LOG_PER_STEP_MAX) return;
  logs++;
  const frame = frameBegin(EF_LOG);
  store<u32>(frame + F_ARG0, code);
  store<u32>(frame + F_ARG1, status);
  if (rxFrame != 0) {
    store<u8>(frame + F_TRANSPORT, load<u8>(rxFrame + F_TRANSPORT));
    store<u16>(frame + F_PORT, load<u16>(rxFrame + F_PORT));
    copy16(frame + F_ADDRESS, rxFrame + F_ADDRESS);
  }
  bytes(ptr, len < LOG_BYTES_MAX ? len : LOG_BYTES_MAX);
  frameEnd();
}
