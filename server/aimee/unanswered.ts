import type { ConversationId } from '../kernel/ids.ts';
import type { Entry } from './entries.ts';
import type { AimeeLimits } from './limits.ts';
import type { Opening } from './search.ts';

export interface UnansweredQuestions {
  /** The most frequent first. */
  readonly questions: {
    readonly question: string;
    readonly times: number;
    /** The latest one in which it was asked. */
    readonly conversation: ConversationId;
  }[];
  /** Messages that were looked into. */
  readonly searched: number;
}

const PAGE = 100;
const QUESTIONS_MAX = 50;

/** What the knowledge did not answer lately, the same questions together; computed in memory for this one request. */
export async function unanswered(
  { limits }: { readonly limits: Pick<AimeeLimits, 'unansweredMax'> },
  { store, reader, site }: Opening,
): Promise<UnansweredQuestions> {
  const asked: { question: string; conversation: ConversationId }[] = [];
  let after: { startedAt: number; id: ConversationId } | undefined;
  for (let isMore = true; isMore && asked.length < limits.unansweredMax;) {
    const page = await store.conversations.list({
      siteId: site.id,
      answered: 'no',
      forAnalysis: true,
      limit: PAGE,
      ...(after && { after }),
    });
    for (const { stored, entries } of await reader.all(store, page))
      asked.push(...questionsOf(entries).map((question) => ({ question, conversation: stored.id })));
    after = page.at(-1);
    isMore = page.length === PAGE;
  }
  const alike = Map.groupBy(asked, ({ question }) => meaningOf(question));
  const questions = [...alike.values()]
    .flatMap((all) => all.slice(0, 1).map((latest) => ({ ...latest, times: all.length })))
    .toSorted((a, b) => b.times - a.times)
    .slice(0, QUESTIONS_MAX);
  return { questions, searched: asked.length };
}

function questionsOf(entries: readonly Entry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === 'answer' && !entry.answered ? [entry.question] : []));
}

/** Case, punctuation and spaces do not make another question. */
function meaningOf(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
