/**
 * Layout of a bank (see bank.ts): numbers only, shared with the builder in ../../host/bank.ts.
 * All offsets are from the start of the bank; a section is named in the header by its offset and its count.
 */
export const BANK_MAGIC: u32 = 0x4b425753; // "SWBK"
export const BANK_VERSION: u32 = 1;

export const BANK_MAGIC_AT: u32 = 0;
export const BANK_VERSION_AT: u32 = 4;
export const BANK_BYTES_AT: u32 = 8;
/** u8 each: DIGEST_*, most preferred first; 0 ends. */
export const BANK_DIGEST: u32 = 12;
export const BANK_DIGEST_MAX: u32 = 4;
export const DIGEST_MD5: u32 = 1;
export const DIGEST_SHA256: u32 = 2;
export const BANK_REALM: u32 = 16; // u32 offset, u32 length
export const REALM_BYTES_MAX: u32 = 128;
export const DOMAIN_BYTES_MAX: u32 = 255;
// sections: u32 offset, u32 count
export const BANK_DOMAINS: u32 = 24; // u32 offset, u32 length of each, in lower case
export const BANK_USER_HEADS: u32 = 32; // u32 index + 1 by hash; count = a power of two
export const BANK_USERS: u32 = 40;
export const BANK_TRUSTED: u32 = 48;
export const BANK_TRUNKS: u32 = 56;
export const BANK_GATEWAYS: u32 = 64;
export const BANK_NODES: u32 = 72; // node 0 is the root
export const BANK_EDGES: u32 = 80; // u32: byte | child << 8
export const BANK_STRINGS: u32 = 88; // count = bytes
export const BANK_HEADER_BYTES: u32 = 128;

export const USER_NAME: u32 = 0; // u32 offset, u32 length
export const USER_BYTES_MAX: u32 = 128;
export const USER_NEXT: u32 = 8; // u32 index + 1
export const USER_HA1_MD5: u32 = 16; // 16 bytes
export const USER_HA1_SHA256: u32 = 32; // 32 bytes
export const USER_BYTES: u32 = 64; // of an entry

export const NETWORK_BITS: u32 = 16; // u32, behind 16 bytes of address; IPv4-mapped: 96 and up
export const NETWORK_BYTES: u32 = 24;

export const TRUNK_NAME: u32 = 0; // u32 offset, u32 length
export const TRUNK_NAME_BYTES_MAX: u32 = 64;
export const TRUNK_FIRST: u32 = 8; // u32 index of its first gateway
export const TRUNK_COUNT: u32 = 12;
export const TRUNK_BYTES: u32 = 16;

export const GATEWAY_ADDRESS: u32 = 0; // 16 bytes
export const GATEWAY_TRANSPORT: u32 = 16; // u32
export const GATEWAY_PORT: u32 = 20; // u32
export const GATEWAY_PRIORITY: u32 = 24; // u32
export const PRIORITY_MAX: u32 = 1000;
export const GATEWAY_BYTES: u32 = 32;

export const NODE_TRUNK: u32 = 0; // u32 index + 1, 0 = no route ends here
export const NODE_STRIP: u32 = 4;
export const NODE_PREPEND: u32 = 8; // u32 offset, u32 length
export const PREPEND_BYTES_MAX: u32 = 32;
export const NODE_EDGES: u32 = 16; // u32 index of its first edge
export const NODE_EDGE_COUNT: u32 = 20;
export const NODE_BYTES: u32 = 24;
