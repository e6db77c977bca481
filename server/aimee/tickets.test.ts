import { expect, it } from 'vitest';
import type { ConversationId, SiteId } from '../kernel/ids.ts';
import { newHalf } from './conversation-keys.ts';
import { createTickets, newReference, parseReference, shownReference } from './tickets.ts';

const SITE = 'site_00000000000000000001' as SiteId;
const OTHER = 'site_00000000000000000002' as SiteId;
const TICKET = {
  conversationId: 'conv_0123456789abcdefghij' as ConversationId,
  reference: newReference(),
  half: newHalf(),
};

it('a ticket opens in its process, at its site, unchanged, and nowhere else', () => {
  const tickets = createTickets();
  const text = tickets.issue(SITE, TICKET);
  expect(tickets.open(SITE, text)).toEqual(TICKET);
  expect(text.length).toBeLessThanOrEqual(600);
  expect(Buffer.from(text, 'base64url').includes(TICKET.conversationId)).toBe(false);
  expect(tickets.open(OTHER, text)).toBeUndefined();
  expect(createTickets().open(SITE, text)).toBeUndefined();
  for (let at = 0; at < text.length; at += 7) {
    const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    expect(tickets.open(SITE, changed)).toBeUndefined();
  }
  for (const forged of ['', 'AAAA', 'x'.repeat(600)]) expect(tickets.open(SITE, forged)).toBeUndefined();
});

it('a reference survives being written down by hand', () => {
  const reference = newReference();
  const shown = shownReference(reference);
  expect(shown).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  expect(parseReference(shown.toLowerCase().replaceAll('-', ' '))).toBe(reference);
  expect(parseReference('oil0-oil1-0000')).toBe('011001110000');
});
