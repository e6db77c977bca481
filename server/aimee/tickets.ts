import { randomBytes } from 'node:crypto';
import type { ConversationId, SiteId } from '../kernel/ids.ts';
import { unwrapKey, wrapKey } from '../keys/key-wrap.ts';

/** What it takes to go on with a conversation. */
export interface Ticket {
  readonly conversationId: ConversationId;
  /** Shown to the visitor, to name the conversation by. */
  readonly reference: string;
  /** The customer's half of the key, which the service keeps nowhere. */
  readonly half: Uint8Array;
}

/**
 * Tickets are kept by visitors, opaque and bound to their site. What opens them lives in this process alone: after a
 * restart the next message begins a new conversation.
 */
export interface Tickets {
  issue(siteId: SiteId, ticket: Ticket): string;
  /** Undefined for anything else than a ticket of this site and this process. */
  open(siteId: SiteId, text: string): Ticket | undefined;
}

const ID_LENGTH = 25;
const REFERENCE_LENGTH = 12;

export function createTickets(): Tickets {
  const key = new Uint8Array(randomBytes(32));
  const contextOf = (siteId: SiteId): string => `aimee-ticket\n${siteId}`;
  return {
    issue(siteId, { conversationId, reference, half }) {
      const bytes = Buffer.concat([Buffer.from(conversationId + reference, 'latin1'), half]);
      return Buffer.from(wrapKey(key, bytes, contextOf(siteId))).toString('base64url');
    },
    open(siteId, text) {
      const bytes = unwrapKey(key, Buffer.from(text, 'base64url'), contextOf(siteId));
      if (bytes === undefined) return undefined;
      const names = Buffer.from(bytes).toString('latin1');
      return {
        conversationId: names.slice(0, ID_LENGTH) as ConversationId,
        reference: names.slice(ID_LENGTH, ID_LENGTH + REFERENCE_LENGTH),
        half: Uint8Array.from(bytes.subarray(ID_LENGTH + REFERENCE_LENGTH)),
      };
    },
  };
}

/** Letters and digits that are not mistaken for each other when read out (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function newReference(): string {
  return Array.from(randomBytes(REFERENCE_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** `K7QF-2M9X-P4TZ`. */
export function shownReference(reference: string): string {
  return reference.match(/.{4}/g)?.join('-') ?? reference;
}

/** As it is stored, from whatever a visitor wrote down. */
export function parseReference(shown: string): string {
  return shown
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
}
