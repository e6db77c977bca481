import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AiEvent } from '../../../../../contract/query-service.ts';
import { streamOf } from '../../events.ts';
import { type Turn, afterEvent, beginTurn, historyOf } from './conversation.ts';

/** What a question may use, and who answers it. */
export interface Asking {
  readonly platform: string;
  readonly functions: readonly string[] | 'library';
  readonly sources: readonly string[];
}

/** Most turns that go along; the platform takes 200 messages. */
const TURNS_SENT_MAX = 50;

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly isRunning: boolean;
  readonly ask: (question: string, asking: Asking) => void;
  /** Ends the answer where it is. */
  readonly stop: () => void;
  readonly forget: () => void;
}

/** A conversation in the memory of the page: it ends with the page, and nothing else holds it. */
export function useConversation(): Conversation {
  const { t } = useTranslation();
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const update = (id: number, change: (turn: Turn) => Turn): void =>
    setTurns((before) => before.map((turn) => (turn.id === id ? change(turn) : turn)));

  const ask = async (question: string, { platform, functions, sources }: Asking): Promise<void> => {
    const { signal } = (running.current = new AbortController());
    const turn = beginTurn((turns.at(-1)?.id ?? 0) + 1, question);
    const messages = [...historyOf(turns.slice(-TURNS_SENT_MAX)), { role: 'user', content: question }];
    setTurns([...turns, turn]);
    const body = { messages, functions, sources, platform, trace: true };
    try {
      let isWhole = false;
      for await (const event of streamOf<AiEvent>('/api/v1/ai/query', { method: 'POST', body, signal })) {
        update(turn.id, (before) => afterEvent(before, event));
        isWhole ||= event.type === 'done';
      }
      if (!isWhole) throw new Error(t('pages.ask.cut'));
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      update(turn.id, (before) =>
        signal.aborted ? { ...before, state: 'stopped' } : { ...before, state: 'failed', error },
      );
    }
  };

  return {
    turns,
    isRunning: turns.at(-1)?.state === 'running',
    ask: (question, asking) => void ask(question, asking),
    stop: () => running.current?.abort(),
    forget() {
      running.current?.abort();
      setTurns([]);
    },
  };
}
