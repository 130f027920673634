/** RTP and RTCP packets as the tests write and read them. */

export interface RtpFields {
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  marker?: boolean;
  csrcs?: number[];
  /** Content of a header extension (RFC 3550 5.3.1), a multiple of 4 bytes. */
  extension?: Buffer;
  payload?: Buffer;
}

export function rtpPacket(fields: RtpFields): Buffer {
  const { payloadType, sequence, timestamp, ssrc, marker = false, csrcs = [], extension } = fields;
  const head = Buffer.alloc(12 + 4 * csrcs.length);
  head[0] = 0x80 | (extension === undefined ? 0 : 0x10) | csrcs.length;
  head[1] = (marker ? 0x80 : 0) | payloadType;
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(timestamp >>> 0, 4);
  head.writeUInt32BE(ssrc >>> 0, 8);
  csrcs.forEach((csrc, i) => {
    head.writeUInt32BE(csrc, 12 + 4 * i);
  });
  const parts: Buffer[] = [head];
  if (extension !== undefined) {
    const lead = Buffer.from([0xbe, 0xde, 0, 0]);
    lead.writeUInt16BE(extension.length / 4, 2);
    parts.push(lead, extension);
  }
  return Buffer.concat([...parts, fields.payload ?? Buffer.alloc(160, 0x55)]);
}

export function readRtp(packet: Buffer): RtpFields & { marker: boolean; payload: Buffer; extended: boolean } {
  const csrcs = packet[0]! & 15;
  const head = 12 + 4 * csrcs;
  const extended = (packet[0]! & 0x10) !== 0;
  return {
    payloadType: packet[1]! & 0x7f,
    marker: packet[1]! >= 0x80,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    csrcs: Array.from({ length: csrcs }, (_, i) => packet.readUInt32BE(12 + 4 * i)),
    extended,
    payload: packet.subarray(extended ? head + 4 + 4 * packet.readUInt16BE(head + 2) : head),
  };
}

export function isRtcp(packet: Buffer): boolean {
  return packet[1]! >= 192 && packet[1]! <= 223;
}

export interface ReportBlock {
  ssrc: number;
  fractionLost: number;
  lost: number;
  highest: number;
  jitter: number;
  lastReport: number;
  delay: number;
}

export interface Report {
  ssrc: number;
  sender: { ntp: bigint; timestamp: number; packets: number; octets: number } | null;
  blocks: ReportBlock[];
  cname: string | null;
}

/** A sender report (with `sender`) or receiver report. */
export function reportPacket(report: Omit<Report, 'cname'>): Buffer {
  const { ssrc, sender, blocks } = report;
  const packet = Buffer.alloc(8 + (sender === null ? 0 : 20) + 24 * blocks.length);
  packet[0] = 0x80 | blocks.length;
  packet[1] = sender === null ? 201 : 200;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(ssrc, 4);
  let at = 8;
  if (sender !== null) {
    packet.writeBigUInt64BE(sender.ntp, 8);
    packet.writeUInt32BE(sender.timestamp, 16);
    packet.writeUInt32BE(sender.packets, 20);
    packet.writeUInt32BE(sender.octets, 24);
    at = 28;
  }
  for (const block of blocks) {
    packet.writeUInt32BE(block.ssrc, at);
    packet.writeUInt32BE(((block.fractionLost << 24) | (block.lost & 0xffffff)) >>> 0, at + 4);
    packet.writeUInt32BE(block.highest, at + 8);
    packet.writeUInt32BE(block.jitter, at + 12);
    packet.writeUInt32BE(block.lastReport, at + 16);
    packet.writeUInt32BE(block.delay, at + 20);
    at += 24;
  }
  return packet;
}

export function byePacket(ssrc: number): Buffer {
  const packet = Buffer.from([0x81, 203, 0, 1, 0, 0, 0, 0]);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

/** Reads a compound packet as the edge writes it: one report, then SDES. @throws when it is not that. */
export function readReport(packet: Buffer): Report {
  const count = packet[0]! & 31;
  const type = packet[1]!;
  if (packet[0]! >> 6 !== 2 || (type !== 200 && type !== 201)) throw new Error('no report');
  const sender =
    type === 201
      ? null
      : {
          ntp: packet.readBigUInt64BE(8),
          timestamp: packet.readUInt32BE(16),
          packets: packet.readUInt32BE(20),
          octets: packet.readUInt32BE(24),
        };
  const blocks = Array.from({ length: count }, (_, i) => {
    const at = (sender === null ? 8 : 28) + 24 * i;
    return {
      ssrc: packet.readUInt32BE(at),
      fractionLost: packet[at + 4]!,
      lost: packet.readIntBE(at + 5, 3),
      highest: packet.readUInt32BE(at + 8),
      jitter: packet.readUInt32BE(at + 12),
      lastReport: packet.readUInt32BE(at + 16),
      delay: packet.readUInt32BE(at + 20),
    };
  });
  const sdes = 4 * (packet.readUInt16BE(2) + 1);
  return { ssrc: packet.readUInt32BE(4), sender, blocks, cname: readCname(packet.subarray(sdes)) };
}

function readCname(sdes: Buffer): string | null {
  if (sdes.length === 0) return null;
  if (sdes[1] !== 202 || sdes.length !== 4 * (sdes.readUInt16BE(2) + 1)) throw new Error('bad SDES');
  if (sdes[8] !== 1) throw new Error('no CNAME');
  return sdes.subarray(10, 10 + sdes[9]!).toString('ascii');
}
