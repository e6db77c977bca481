import { expect, test } from 'vitest';
import type { AccountId } from '../kernel/ids.ts';
import { systemScheduler } from '../kernel/scheduler.ts';
import type { Embedders, EmbedderSource } from './embedder.ts';
import { createEmbedders } from './embedders.ts';

const ALICE = 'acct_alice000000000000000' as AccountId;
const BOB = 'acct_bob00000000000000000' as AccountId;

function source(name: string, more: Partial<EmbedderSource> & { model?: string } = {}): EmbedderSource {
  const { platform = 'embedded', isOutside = false, model = `${name}@1a2b3c4d5e6f` } = more;
  const retention = isOutside ? 'provider' : 'none';
  return {
    name,
    platform,
    isOutside,
    open: async () =>
      await Promise.resolve({
        model,
        dimensions: 3,
        isOutside,
        retention,
        tokensMax: 9,
        embed: async () => [],
      }),
    close: async () => {},
    ...more,
  };
}

const outside = source('openai/large', { platform: 'openai', isOutside: true, model: 'openai/large' });

/** Alice chose the platform `openai`, Bob none. */
function embedders(...sources: EmbedderSource[]): Embedders {
  const choice = async (account: AccountId): Promise<string | undefined> =>
    await Promise.resolve(account === ALICE ? 'openai' : undefined);
  return createEmbedders({ sources, models: { choice }, scheduler: systemScheduler });
}

const selected = async (of: Embedders, account: AccountId, model?: string): Promise<string> =>
  (await of.select(account, model)).model;

test('an installation without embedding models says how to get one', async () => {
  await expect(selected(embedders(), ALICE)).rejects.toMatchObject({
    code: 'embeddings.none_configured',
    message: expect.stringMatching(/model pull.*JELLYFAAS_EMBEDDINGS_URL/),
  });
  expect(await embedders().list()).toEqual([]);
});

test('an outside endpoint serves only accounts that chose its platform', async () => {
  const both = embedders(outside, source('minilm'));
  expect(await selected(both, ALICE)).toBe('openai/large');
  expect(await selected(both, BOB)).toBe('minilm@1a2b3c4d5e6f');
  expect(await selected(both, ALICE, 'openai/large')).toBe('openai/large');
  await expect(selected(both, BOB, 'openai/large')).rejects.toMatchObject({ code: 'embeddings.not_chosen' });
  await expect(selected(embedders(outside), BOB)).rejects.toMatchObject({ code: 'embeddings.not_chosen' });
});

test('an outside endpoint is not even reached for an account that did not choose it', async () => {
  const untouched = source('openai/large', {
    platform: 'openai',
    isOutside: true,
    open: () => expect.unreachable('it was asked'),
  });
  await expect(selected(embedders(untouched), BOB)).rejects.toMatchObject({ code: 'embeddings.not_chosen' });
});

test('a model is selected by its whole identity, so that no two are ever mixed', async () => {
  const both = embedders(source('minilm'), outside);
  expect(await selected(both, BOB, 'minilm@1a2b3c4d5e6f')).toBe('minilm@1a2b3c4d5e6f');
  for (const other of ['minilm@000000000000', 'minilm', 'bge@1a2b3c4d5e6f']) {
    await expect(selected(both, BOB, other)).rejects.toMatchObject({ code: 'embeddings.unknown_model' });
  }
});

test('a list shows what can be had, and leaves out what does not answer', async () => {
  const broken = source('broken', { open: () => Promise.reject(new Error('no')) });
  expect(await embedders(broken, outside, source('minilm')).list()).toEqual([
    { model: 'openai/large', dimensions: 3, isOutside: true, retention: 'provider' },
    { model: 'minilm@1a2b3c4d5e6f', dimensions: 3, isOutside: false, retention: 'none' },
  ]);
});
