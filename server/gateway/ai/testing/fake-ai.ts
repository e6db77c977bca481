import type { Query, QueryAnswer, QueryEvent } from '../../../ai/query.ts';
import { PlatformError } from '../../../kernel/errors.ts';
import { fakeSources } from './fake-sources.ts';
import type { AiParts } from '../serve-ai.ts';

export interface FakeAi extends AiParts {
  /** Questions as they came, newest last. */
  readonly asked: Query[];
  /** What is answered; a test replaces it. */
  answer: (query: Query, onEvent: (event: QueryEvent) => void) => Promise<QueryAnswer>;
}

export const ANSWER: QueryAnswer = {
  answer: 'Forty-two',
  finish: 'complete',
  platform: 'own',
  model: 'scripted',
  retention: 'none',
  trace: [
    { type: 'tool-call', id: 'c1', function: 'greeter', arguments: { name: 'foo' } },
    { type: 'tool-result', id: 'c1', ok: true, status: 200, result: 'hello' },
  ],
};

/** Answers every question with what the test says; remembers what accounts chose. */
export function fakeAi(): FakeAi {
  const asked: Query[] = [];
  const choices = new Map<string, string>();
  const fake: FakeAi = {
    asked,
    answer: async () => ANSWER,
    async *pull(name = 'tiny') {
      yield { name, bytes: 1, totalBytes: 2 };
      if (name !== 'tiny')
        throw new PlatformError({ kind: 'not_found', code: 'models.no_source', message: 'No.' });
      yield { name, bytes: 2, totalBytes: 2 };
    },
    sources: fakeSources(),
    originIp: () => '192.0.2.1',
    queries: {
      ask: (query, onEvent = () => undefined) => {
        asked.push(query);
        return fake.answer(query, onEvent);
      },
    },
    models: {
      list: () => [{ platform: 'own', model: 'scripted', isOutside: false, retention: 'none' }],
      choice: async (accountId) => choices.get(accountId),
      choose: async (accountId, platform) => {
        if (platform === null) choices.delete(accountId);
        else choices.set(accountId, platform);
      },
    },
  };
  return fake;
}
