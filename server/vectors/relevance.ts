import { queryForms, wordsOf } from './engine/keywords.ts';
import type { SearchHit, VectorSettings } from './engine/vector-engine.ts';
import type { ScoredWindow } from './windows.ts';

/**
 * How much evidence there has to be, by the name of the embedding model: cosines of different models mean different
 * things. Where a model is not listed, only `minScore` of a question refuses. `npm run evaluate:retrieval` measures it.
 */
const EVIDENCE_MIN: readonly (readonly [name: RegExp, evidence: number])[] = [[/^all-minilm-l6-v2\b/i, 0.55]];

/** What it counts, beside the cosine of the best sentences, that all words of the question stand in the passage. */
const WORDS_WEIGHT = 0.3;

/**
 * Whether any passage says enough about the question to rest an answer on. Words count by their share, not by how rare
 * they are: in a database of a few passages nothing is rare.
 */
export function isRelevant(
  { model }: Pick<VectorSettings, 'model'>,
  { hits, windows }: { hits: readonly SearchHit[]; windows: ReadonlyMap<string, ScoredWindow> },
  { text, minScore }: { readonly text: string; readonly minScore?: number | undefined },
): boolean {
  if (minScore !== undefined) return hits.some(({ score }) => score !== null && score >= minScore);
  const evidenceMin = EVIDENCE_MIN.find(([name]) => name.test(model ?? ''))?.[1] ?? -Infinity;
  const cosineOf = ({ id }: SearchHit): number => windows.get(id)?.score ?? 0;
  // Mostly the sentences alone say enough; words are only looked at where they could decide.
  if (hits.some((hit) => cosineOf(hit) >= evidenceMin)) return true;
  const near = hits.filter((hit) => cosineOf(hit) + WORDS_WEIGHT >= evidenceMin);
  const forms = near.length === 0 ? [] : queryForms(text);
  return near.some((hit) => cosineOf(hit) + WORDS_WEIGHT * wordsShare(forms, hit) >= evidenceMin);
}

function wordsShare(forms: readonly (readonly string[])[], { text, span }: SearchHit): number {
  if (forms.length === 0) return 0;
  const words = wordsOf([...(span?.headings ?? []), text ?? ''].join('\n'));
  return forms.filter((word) => word.some((form) => words.has(form))).length / forms.length;
}
