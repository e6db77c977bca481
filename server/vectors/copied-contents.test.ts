import { expect, it } from 'vitest';
import type { AccountId } from '../kernel/ids.ts';
import type { ImportOutcome } from '../rights/copier.ts';
import { type Content, type Taking, takeContents } from './copied-contents.ts';

function documentOf(documentId: string): Content[] {
  const passage = { start: 0, end: 1, page: null, headings: [], text: 'x' };
  return [
    { type: 'document', base: 'manuals', documentId, metadata: {} },
    { type: 'passage', base: 'manuals', documentId, ...passage },
  ];
}

it.each([
  [true, ['document', 'document'], []],
  [false, ['document'], ['last rights.cut_short']],
])(
  'contents that are whole (%s) are taken to the last document, and others but for that',
  async (isWhole, taken, left) => {
    const finished: string[] = [];
    const told = { taken: [] as string[], left: [] as string[] };
    const engine = {
      beginDocument: async () => undefined,
      stage: async () => undefined,
      finishDocument: async () => void finished.push('one'),
      failDocument: async () => undefined,
    } as unknown as Taking['engine'];
    const embedder = { embed: async () => [new Float32Array(2)] } as unknown as Taking['to']['embedder'];
    const outcome: ImportOutcome = {
      taken: (kind) => void told.taken.push(kind),
      left: (_kind, name, thrown) => void told.left.push(`${name} ${(thrown as { code: string }).code}`),
    };
    const contents = (async function* (): AsyncGenerator<Content> {
      yield* [...documentOf('first'), ...documentOf('last')];
    })();
    const file = { id: 'db_00000000000000000001' } as Taking['to']['file'];
    const to = { base: 'manuals', file, embedder, isWhole };
    await takeContents({ engine, accountId: 'acct_1' as AccountId, to }, contents, outcome);
    expect(told).toEqual({ taken, left });
    expect(finished).toHaveLength(taken.length);
  },
);
