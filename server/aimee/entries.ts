import type { ConversationId } from '../kernel/ids.ts';
import { openContent, sealContent } from './conversation-keys.ts';
import type { EntryKind, Rating, StoredEntry } from './customer-store.ts';

/** What an answer rests on, as visitors are shown it. */
export interface Source {
  readonly title: string;
  /** A page of the customer's site; null for documents. */
  readonly url: string | null;
}

export interface Turn {
  readonly role: 'visitor' | 'assistant';
  readonly text: string;
}

/** What lies sealed of a question with its answer. */
export interface AnswerContent {
  readonly question: string;
  readonly answer: string;
  readonly sources: readonly Source[];
}

/** What lies sealed of a request for a person. */
export interface HandOverContent {
  readonly email: string;
  readonly text: string;
  readonly turns: readonly Turn[];
}

export type Entry =
  | (AnswerContent & {
      readonly kind: 'answer';
      readonly number: number;
      readonly answered: boolean;
      readonly rating: Rating;
    })
  | (HandOverContent & { readonly kind: 'hand-over'; readonly number: number });

/** An entry on its way into the store. */
export type EntryDraft =
  | { readonly kind: 'answer'; readonly answered: boolean; readonly content: AnswerContent }
  | { readonly kind: 'hand-over'; readonly answered: true; readonly content: HandOverContent };

export function sealEntry(key: Uint8Array, id: ConversationId, { kind, content }: EntryDraft): Uint8Array {
  return sealContent(key, id, { kind, ...content });
}

/** Throws `aimee.unreadable`. */
export function openEntry(key: Uint8Array, id: ConversationId, stored: StoredEntry): Entry {
  const { number, answered, rating } = stored;
  const content = openContent(key, id, stored.sealed) as { kind: EntryKind };
  return content.kind === 'answer'
    ? { ...(content as AnswerContent & { kind: 'answer' }), number, answered, rating }
    : { ...(content as HandOverContent & { kind: 'hand-over' }), number };
}
