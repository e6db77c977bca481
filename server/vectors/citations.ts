import type { SearchHit } from './engine/vector-engine.ts';
import type { Citation } from './vectors.ts';
import type { Window } from './windows.ts';

/** A passage as it is numbered for a model. */
export interface Source {
  readonly number: number;
  readonly hit: SearchHit;
}

/** Points at the whole passage, or at a window of it. A record that is no passage of a document is one of its own. */
export function citationOf({ number, hit }: Source, window?: Window): Citation {
  const { id, score, text } = hit;
  const whole = text ?? '';
  const span = hit.span ?? { documentId: id, start: 0, end: whole.length, page: null, headings: [] };
  const part = window ?? { start: 0, end: whole.length, text: whole };
  return {
    number,
    ...span,
    start: span.start + part.start,
    end: span.start + part.end,
    score,
    quote: part.text,
  };
}

/** Brackets with one or several numbers. */
const MARK = /\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;

/** The answer without numbers of passages that were not given, and those that it cites. */
export function checkCitations(
  answer: string,
  sources: readonly Source[],
): { readonly answer: string; readonly citations: readonly Citation[] } {
  const cited = new Set<number>();
  const checked = answer.replaceAll(MARK, (mark, list: string) => {
    const numbers = list.split(',').map(Number);
    const given = numbers.filter((number) => sources.some((source) => source.number === number));
    for (const number of given) cited.add(number);
    if (given.length === numbers.length) return mark;
    return given.length === 0 ? '' : ` ${given.map((number) => `[${number}]`).join('')}`;
  });
  return {
    answer: checked,
    citations: sources.filter(({ number }) => cited.has(number)).map((source) => citationOf(source)),
  };
}
