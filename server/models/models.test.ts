import { describe, expect, test } from 'vitest';
import { type AccountId, newId } from '../kernel/ids.ts';
import type { AccountChoices } from './account-choices.ts';
import type { Models } from './chat-model.ts';
import type { ProviderConfig } from './model-settings.ts';
import { createModels, type OwnedModel } from './models.ts';

const accountId = newId<AccountId>('acct');

function config(platform: string, isOutside: boolean): ProviderConfig {
  return {
    platform,
    kind: 'openai-compatible',
    baseUrl: 'https://models.example/v1',
    model: `${platform}-1`,
    key: undefined,
    isOutside,
    retention: isOutside ? 'provider' : 'none',
  };
}

const embedded: OwnedModel = {
  platform: 'embedded',
  model: 'tiny',
  isOutside: false,
  retention: 'none',
  stream: () => expect.unreachable('nobody asks'),
  close: async () => {},
};

function choices(): AccountChoices {
  const chosen = new Map<AccountId, string>();
  return {
    get: (id) => Promise.resolve(chosen.get(id)),
    set: (id, platform) => {
      if (platform === null) chosen.delete(id);
      else chosen.set(id, platform);
      return Promise.resolve();
    },
  };
}

function models(configured: ProviderConfig[], withEmbedded = false): Models {
  return createModels({ configured, embedded: withEmbedded ? embedded : undefined, choices: choices() });
}

async function selected(all: Models, platform?: string): Promise<string> {
  return (await all.select(accountId, platform)).platform;
}

describe('without any model', () => {
  test('every selection names the two ways to have one', async () => {
    const none = models([]);
    expect(none.list()).toEqual([]);
    for (const platform of [undefined, 'gemini', 'other']) {
      const refused = none.select(accountId, platform);
      await expect(refused).rejects.toMatchObject({ code: 'models.none_configured' });
      await expect(refused).rejects.toThrow(/jellyfaas model pull[^]*JELLYFAAS_MODEL_URL/);
    }
    await expect(none.choose(accountId, 'gemini')).rejects.toMatchObject({ code: 'models.none_configured' });
  });
});

describe('the default', () => {
  test("is the first own endpoint in the operator's order, the embedded model last", async () => {
    expect(await selected(models([config('out', true), config('a', false), config('b', false)], true))).toBe(
      'a',
    );
    expect(await selected(models([config('out', true)], true))).toBe('embedded');
  });

  test("is the account's choice, for this account alone and until it is taken back", async () => {
    const all = models([config('openai', true)], true);
    await all.choose(accountId, 'openai');
    expect(await selected(all)).toBe('openai');
    expect(await all.choice(accountId)).toBe('openai');
    expect((await all.select(newId<AccountId>('acct'), undefined)).platform).toBe('embedded');
    await all.choose(accountId, null);
    expect(await selected(all)).toBe('embedded');
    expect(await all.choice(accountId)).toBeUndefined();
  });

  test('is never an outside provider that the account did not choose', async () => {
    const all = models([config('openai', true)]);
    await expect(all.select(accountId, undefined)).rejects.toMatchObject({
      code: 'models.not_chosen',
      message: expect.stringContaining('openai'),
    });
  });

  test('holds when the chosen platform is configured no more', async () => {
    const store = choices();
    await store.set(accountId, 'gone');
    const all = createModels({ configured: [config('a', false)], choices: store });
    expect(await selected(all)).toBe('a');
  });
});

describe('a named platform', () => {
  test('is used, whatever the choice, unless it is an outside one that was not chosen', async () => {
    const all = models([config('a', false), config('openai', true), config('anthropic', true)]);
    await all.choose(accountId, 'openai');
    expect(await selected(all, 'a')).toBe('a');
    expect(await selected(all, 'openai')).toBe('openai');
    await expect(all.select(accountId, 'anthropic')).rejects.toMatchObject({
      code: 'models.not_chosen',
      kind: 'permission_denied',
    });
  });

  test('that is not configured is refused, naming those that are and not what was sent', async () => {
    const all = models([config('a', false)], true);
    for (const act of [all.select(accountId, 'canary-name'), all.choose(accountId, 'canary-name')]) {
      const error: unknown = await act.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'models.unknown_platform' });
      expect(String(error)).toContain('a, embedded');
      expect(String(error)).not.toContain('canary-name');
    }
  });
});

describe('gemini, which the public clients always send', () => {
  test('means the default where no such platform is configured', async () => {
    expect(await selected(models([], true), 'gemini')).toBe('embedded');
  });

  test('means the platform of that name where the account chose it, and its default where it did not', async () => {
    const all = models([config('gemini', true)], true);
    expect(await selected(all, 'gemini')).toBe('embedded');
    await all.choose(accountId, 'gemini');
    expect(await selected(all, 'gemini')).toBe('gemini');
  });

  test('never makes up for a model that the account may not use', async () => {
    await expect(selected(models([config('gemini', true)]), 'gemini')).rejects.toMatchObject({
      code: 'models.not_chosen',
    });
  });
});
