/** Networks in CIDR notation (RFC 4632, RFC 4291 2.3). */
import { ADDRESS_BYTES, isMappedIPv4, parseAddress } from '../../../wasm-core/host/address.ts';

/** Addresses that share the first `bits` of 16 address bytes; an IPv4 /24 has 120 bits here. */
export interface Network {
  /** 16 bytes. */
  address: Uint8Array;
  /** 0..128. */
  bits: number;
}

/** Reads `address/bits`; null when it is not a network. */
export function networkOf(text: string): Network | null {
  const slash = text.indexOf('/');
  const address = parseAddress(text.slice(0, slash));
  const bits = Number(text.slice(slash + 1));
  if (slash < 0 || address === null || !Number.isInteger(bits) || bits < 0) return null;
  const v4 = isMappedIPv4(address);
  if (bits > (v4 ? 32 : 128)) return null;
  return { address, bits: v4 ? bits + 96 : bits };
}

/** True when the 16 address bytes lie in the network. */
export function contains(network: Network, address: Uint8Array): boolean {
  const whole = network.bits >> 3;
  for (let i = 0; i < whole; i++) if (network.address[i] !== address[i]) return false;
  const rest = network.bits & 7;
  if (rest === 0 || whole >= ADDRESS_BYTES) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return (network.address[whole]! & mask) === (address[whole]! & mask);
}
