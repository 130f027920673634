/** Statistics of a leg, as a record for the host (S_* in abi.ts). */
import {
  S_ADDRESS,
  S_BYTES,
  S_BYTES_IN,
  S_BYTES_OUT,
  S_EXPECTED,
  S_FAR_JITTER_MS,
  S_FAR_LOSS_PCT,
  S_IDLE_MS,
  S_JITTER_MS,
  S_LATCHED,
  S_LOST,
  S_PACKETS_IN,
  S_PACKETS_OUT,
  S_PORT,
  S_RTT_MS,
  S_SLOT,
} from './abi';
import { copyAddress } from './bytes';
import { latched } from './latch';
import { L_HEARD_US, L_SOURCE, L_SOURCE_PORT, legIn, legOut, legSlot } from './leg';
import {
  streamBytesHeard,
  streamBytesSent,
  streamExpected,
  streamFarFraction,
  streamFarJitterMs,
  streamFarUs,
  streamJitterUs,
  streamLost,
  streamPacketsHeard,
  streamPacketsSent,
  streamRttUs,
} from './stream';

export function writeStats(dst: usize, leg: usize, nowUs: f64): void {
  const heard = legIn(leg);
  const sent = legOut(leg);
  const heardUs = load<f64>(leg, L_HEARD_US);
  const rttUs = streamRttUs(sent);
  const reported = streamFarUs(sent) > 0;
  memory.fill(dst, 0, S_BYTES);
  store<u32>(dst, legSlot(leg), S_SLOT);
  store<u32>(dst, latched(leg) ? 1 : 0, S_LATCHED);
  store<u32>(dst, load<u32>(leg, L_SOURCE_PORT), S_PORT);
  copyAddress(dst + S_ADDRESS, leg + L_SOURCE);
  store<f64>(dst, streamPacketsHeard(heard), S_PACKETS_IN);
  store<f64>(dst, streamBytesHeard(heard), S_BYTES_IN);
  store<f64>(dst, streamPacketsSent(sent), S_PACKETS_OUT);
  store<f64>(dst, streamBytesSent(sent), S_BYTES_OUT);
  store<f64>(dst, streamLost(heard), S_LOST);
  store<f64>(dst, streamExpected(heard), S_EXPECTED);
  store<f64>(dst, streamJitterUs(heard) / 1000, S_JITTER_MS);
  store<f64>(dst, rttUs < 0 ? -1 : rttUs / 1000, S_RTT_MS);
  store<f64>(dst, heardUs == 0 ? -1 : max<f64>(0, (nowUs - heardUs) / 1000), S_IDLE_MS);
  store<f64>(dst, reported ? ((streamFarFraction(sent) as f64) * 100) / 256 : -1, S_FAR_LOSS_PCT);
  store<f64>(dst, streamFarJitterMs(sent), S_FAR_JITTER_MS);
}
