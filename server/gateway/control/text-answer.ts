import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { PlatformError } from '../../kernel/errors.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';

/** An answer whose text or bytes go out piece by piece, at the pace of its reader. */
export interface TextAnswer {
  /** Whether the head is on its way: a failure cannot have a status of its own any more. */
  readonly isOpen: () => boolean;
  /** Sends the head with the first piece. Resolves when the client can take more; rejects when it has left. */
  write(piece: string | Uint8Array): Promise<void>;
  /** Ends it with a last piece; cuts it for a client that does not read. */
  end(text?: string): void;
  /** Ends it so that nobody takes it as complete. */
  cut(): void;
}

/** Takes the reply over at the first piece; until then the reply is untouched. */
export function createTextAnswer(reply: FastifyReply, headers: Readonly<Record<string, string>>): TextAnswer {
  const { raw } = reply;
  const left = new AbortController();
  let isOpen = false;
  const open = (): void => {
    if (isOpen) return;
    isOpen = true;
    reply.hijack();
    raw.once('close', () => left.abort());
    raw.writeHead(200, { ...SECURITY_HEADERS, ...headers });
  };
  return {
    isOpen: () => isOpen,
    async write(piece) {
      open();
      if (!raw.destroyed && !raw.write(piece))
        await once(raw, 'drain', { signal: left.signal }).catch(() => undefined);
      if (raw.destroyed) throw clientLeft();
    },
    end(text = '') {
      open();
      if (raw.writableNeedDrain) raw.destroy();
      else raw.end(text);
    },
    cut: () => void raw.destroy(),
  };
}

function clientLeft(): PlatformError {
  return new PlatformError({
    kind: 'cancelled',
    code: 'sql.cancelled',
    message: 'The request was cancelled: its client has left.',
  });
}
