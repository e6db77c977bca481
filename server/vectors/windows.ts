import type { Embedder } from '../embeddings/embedder.ts';
import type { AccountId } from '../kernel/ids.ts';

/** A few sentences of a passage; `text` is exactly the slice from `start` to `end`. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface ScoredWindow extends Window {
  /** Cosine with the question. */
  readonly score: number;
}

const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Each two sentences that follow each other; the whole of a text that has no more. */
export function windowsOf(text: string, windowsMax: number): Window[] {
  const sentences = [...SENTENCES.segment(text)].filter(({ segment }) => segment.trim() !== '');
  const windows = sentences.slice(0, Math.max(1, sentences.length - 1)).map(({ index, segment }, at) => {
    const last = sentences[at + 1];
    const from = index + segment.length - segment.trimStart().length;
    const to =
      last === undefined ? index + segment.trimEnd().length : last.index + last.segment.trimEnd().length;
    return { start: from, end: to, text: text.slice(from, to) };
  });
  return windows.slice(0, windowsMax);
}

/** The window of each text that is nearest to the question. Undefined for texts without words. */
export async function bestWindows(
  embedder: Embedder,
  texts: readonly string[],
  options: {
    readonly accountId: AccountId;
    readonly question: Float32Array;
    readonly windowsMax: number;
    readonly signal: AbortSignal;
  },
): Promise<(ScoredWindow | undefined)[]> {
  const { accountId, question, windowsMax, signal } = options;
  const windows = texts.map((text) => windowsOf(text, windowsMax));
  const vectors = await embedder.embed({
    accountId,
    texts: windows.flat().map(({ text }) => text),
    purpose: 'passage',
    signal,
  });
  let at = 0;
  return windows.map((ofText) => {
    let best: ScoredWindow | undefined;
    for (const window of ofText) {
      const score = dot(question, vectors[at++]);
      if (best === undefined || score > best.score) best = { ...window, score };
    }
    return best;
  });
}

function dot(a: Float32Array, b: Float32Array | undefined): number {
  if (b === undefined) return -1;
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
