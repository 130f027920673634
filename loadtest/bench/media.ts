/** Media: CPU per packet and added latency. */
export interface MediaRow {
  name: string;
  calls: number;
  packets: number;
  lost: number;
  cpuUsPerPacket: number;
  addedUs: { p50: number; p99: number; p999: number };
  batchWait?: string;
}
