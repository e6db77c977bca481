import { randomInt } from 'node:crypto';
import {
  type Binding,
  OpeningError,
  encodeKeyConfigs,
  generateKeyPair,
  openRequest,
} from '../../../clients/sdk/src/sealed/index.ts';
import { type ErrorOptions, toPlatformError } from '../../kernel/errors.ts';
import { engineErrors } from './engine-errors.ts';
import { bytesOf, decodeFrame, encodeFrame, floatsOf } from './frames.ts';
import type { Method, SealedAnswer, SealedHeader } from './protocol.ts';
import type { Answer } from './vector-database.ts';

/** Requests that the server cannot read: their key is born in the engine process, and ends with it. */
export interface Sealing {
  configs(): Promise<Uint8Array>;
  /** The sealed answer to a sealed request, failures included. Throws `vectors.seal_unknown` for what does not open. */
  answer(body: Uint8Array, database: string, work: SealedWork): Promise<Uint8Array>;
}

export type SealedWork = (asked: SealedHeader, vectors: readonly Float32Array[]) => Promise<Answer>;

/** A request that is sealed for one database opens for no other. */
export function databaseBinding(database: string): Binding {
  return { functionId: database, version: 1 };
}

const KEY_IDS = 256;

/** What may come sealed: all but the making of a database, which only the server can. */
const METHODS: ReadonlySet<Method> = new Set([
  'describe',
  'upsert',
  'delete',
  'search',
  'beginDocument',
  'knownVectors',
  'stage',
  'finishDocument',
  'failDocument',
  'upload',
  'documents',
  'deleteDocument',
  'keyedName',
  'matches',
]);

export function createSealing(): Sealing {
  // Another engine's key has another id, nearly always; if it has not, its requests do not open.
  const pair = generateKeyPair(randomInt(KEY_IDS));
  return {
    configs: async () => encodeKeyConfigs([(await pair).config]),
    async answer(body, database, work) {
      const opened = await openRequest([await pair], databaseBinding(database), body).catch(
        (error: unknown) => {
          throw error instanceof OpeningError ? engineErrors.sealUnknown() : error;
        },
      );
      const answer = await answerTo(opened.request, work);
      return await opened.sealResponse(answer);
    },
  };
}

async function answerTo(request: Uint8Array, work: SealedWork): Promise<Uint8Array> {
  try {
    const frame = decodeFrame<SealedHeader>(request);
    if (frame === undefined || !METHODS.has(frame.header.method)) throw engineErrors.sealUnknown();
    const { result, vectors = [] } = await work(frame.header, frame.parts.map(floatsOf));
    return encode({ t: 'result', result }, vectors.map(bytesOf));
  } catch (thrown) {
    return encode({ t: 'failed', error: shownError(thrown) }, []);
  }
}

function encode(header: SealedAnswer, parts: readonly Uint8Array[]): Uint8Array {
  const frame = encodeFrame({ header, parts });
  if (frame === undefined) throw engineErrors.tooLarge();
  return Buffer.concat(frame);
}

/** What crosses to the server of an error. */
export function shownError(thrown: unknown): Omit<ErrorOptions, 'cause' | 'faults'> {
  const { kind, code, message, owner, retryAfterSeconds } = toPlatformError(thrown);
  return { kind, code, message, owner, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}
