import { describe, expect, it } from 'vitest';
import { allowedOrigins } from '../../control/origins.ts';

const endpoint = {
  address: '192.0.2.1',
  port: 443,
  advertisedHost: 'sip.example.net',
  advertisedPort: 443,
  loopback: false,
};

describe('origins', () => {
  it('are those of our own page and of the configuration', () => {
    const origins = allowedOrigins(endpoint, 443, true, ['https://phone.example']);
    expect([...origins].sort()).toEqual([
      'https://phone.example',
      'https://sip.example.net',
      'https://sip.example.net:443',
    ]);
  });

  it('on loopback are all names of this machine', () => {
    const local = {
      ...endpoint,
      address: '127.0.0.1',
      advertisedHost: '127.0.0.1',
      port: 0,
      advertisedPort: 0,
      loopback: true,
    };
    expect([...allowedOrigins(local, 8080, false, [])].sort()).toEqual([
      'http://127.0.0.1:8080',
      'http://[::1]:8080',
      'http://localhost:8080',
    ]);
  });
});
