/** A node of the control thread alone, on free ports, with a fake realtime thread. */
import { parseConfig } from '../../control/config/load.ts';
import { createLogger } from '../../control/log.ts';
import type { MediaPort } from '../../control/media-port.ts';
import { SwitchNode } from '../../control/switch-node.ts';
import type { ReadyInfo } from '../../supervisor/messages.ts';
import { FakeRealtime } from './fake-realtime.ts';

export const TOKEN = 'test-token-0123456789';

export interface TestNode {
  node: SwitchNode;
  realtime: FakeRealtime;
  info: ReadyInfo;
  /** Base URL without slash. */
  web: string;
  tcpPort: number;
}

const BASE = `
name: test
domains: [strowger.test]
listen: {udp: ["127.0.0.1:0"], tcp: ["127.0.0.1:0"]}
media: {anchor: false}
logs: {level: silent}
calls: {drainS: 1}
`;

/** Starts a node; `http` and `limits` are YAML flow mappings without braces. */
export async function startTestNode(
  options: { http?: string; limits?: string; more?: string; media?: MediaPort; pages?: string } = {},
): Promise<TestNode> {
  const yaml = `${BASE}
http: {listen: "127.0.0.1:0", tokens: [{name: test, token: ${TOKEN}}]${options.http ? `, ${options.http}` : ''}}
limits: {${options.limits ?? ''}}
${options.more ?? ''}`;
  const loaded = await parseConfig('test.yaml', yaml);
  const realtime = new FakeRealtime();
  const log = createLogger({ level: 'silent', pretty: false }, 'test');
  const node = new SwitchNode({
    loaded,
    realtime,
    media: options.media ?? null,
    token: '',
    log,
    pages: options.pages,
  });
  const info = await node.start();
  const tcp = info.sip.find((text) => text.startsWith('tcp')) ?? '';
  return {
    node,
    realtime,
    info,
    web: info.web.slice(0, -1),
    tcpPort: Number(tcp.slice(tcp.lastIndexOf(':') + 1)),
  };
}
