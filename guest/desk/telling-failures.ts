import type { Queries } from '../../server/ai/query.ts';
import type { Door } from './door.ts';

/** The same, and the gateway records a question as failed that a plain one would be, before its answer ends. */
export function tellingFailures(queries: Queries, door: Pick<Door, 'failed'>): Queries {
  return {
    async ask(query, onEvent) {
      let isComplete = false;
      try {
        const answer = await queries.ask(query, onEvent);
        isComplete = answer.finish === 'complete';
        return answer;
      } finally {
        // Of a request that has ended nothing can be told, and a record is there.
        if (!isComplete) await door.failed(query.principal.accountId).catch(() => undefined);
      }
    },
  };
}
