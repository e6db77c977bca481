import { randomBytes } from 'node:crypto';

/** Branded identifiers: an account id cannot be passed where a function id is expected. */
export type AccountId = string & { readonly brand: 'AccountId' };
export type ApiKeyId = string & { readonly brand: 'ApiKeyId' };
export type FunctionId = string & { readonly brand: 'FunctionId' };
export type BuildId = string & { readonly brand: 'BuildId' };
/** Public, `<shortname>-<xid>-<version>-<size>`: the first path segment of a call. */
export type DeploymentId = string & { readonly brand: 'DeploymentId' };
/** A vector or SQL database; the name that its owner gave it stands nowhere in the clear. */
export type DatabaseId = string & { readonly brand: 'DatabaseId' };
/** An outside MCP server that an account uses; what it is called and where it is stands nowhere in the clear. */
export type ToolSourceId = string & { readonly brand: 'ToolSourceId' };
/** A site with an AI.Mee assistant: public, it stands in the embed snippet. */
export type SiteId = string & { readonly brand: 'SiteId' };
/** A conversation of a visitor with an assistant. */
export type ConversationId = string & { readonly brand: 'ConversationId' };
/** A customer's leave for staff to read some conversations for a while. */
export type GrantId = string & { readonly brand: 'GrantId' };
/** SHA-256 (hex) of a dependency layer's content. */
export type LayerId = string & { readonly brand: 'LayerId' };

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE32HEX = '0123456789abcdefghijklmnopqrstuv';

/** `length` characters drawn uniformly from base62 (5.95 bits each), by rejection sampling. */
export function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}

/** `value` in base62, left-padded with zeros to `width`. */
export function toBase62(value: number, width: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < width; i++) {
    text = BASE62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** `acct_…`, `fn_…`: a prefix and 119 random bits. Ids carry no time: a call record must not tell one. */
export function newId<T extends string>(prefix: string): T {
  return `${prefix}_${randomBase62(20)}` as T;
}

/**
 * A globally unique 20-character id in the shape of rs/xid (base32hex of 12 bytes), as deployment ids carry.
 * The first four bytes are the creation second, the rest random: the public clients show these ids.
 */
export function newXid(epochMs: number): string {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(Math.floor(epochMs / 1000));
  randomBytes(8).copy(bytes, 4);
  let bits = 0;
  let held = 0;
  let text = '';
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32HEX.charAt((held >> bits) & 31);
      held &= (1 << bits) - 1;
    }
  }
  return text + BASE32HEX.charAt((held << (5 - bits)) & 31);
}
