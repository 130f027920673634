import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../control/config/load.ts';
import { readyLine } from '../../supervisor/ready-line.ts';

const info = {
  sip: ['udp 127.0.0.1:5060'],
  webSocket: 'ws://127.0.0.1:8080/sip',
  web: 'http://127.0.0.1:8080/',
};

describe('the ready line', () => {
  it('is one line with URLs, token and demo accounts', async () => {
    const { config } = await parseConfig(
      'x',
      'domains: [strowger.test]\nusers: [{range: 1001-1010, password: demo-<user>}]',
    );
    const line = readyLine(config, info, 'abc');
    expect(line).toMatch(/^strowger ready/);
    expect(line).not.toContain('\n');
    for (const part of [
      'ws://127.0.0.1:8080/sip',
      'http://127.0.0.1:8080/',
      '/console?token=abc',
      'token abc',
      '1001-1010',
      'demo-<user>',
      'strowger.test',
    ])
      expect(line).toContain(part);
  });

  it('never shows a password that is not the demo one, nor a token that was configured', async () => {
    const { config } = await parseConfig(
      'x',
      'domains: [a]\nusers: [{user: x, password: geheim}]\nhttp: {tokens: [{name: t, token: geheim-geheim-geheim}]}',
    );
    expect(readyLine(config, info, '')).not.toMatch(/geheim|token/);
  });
});
