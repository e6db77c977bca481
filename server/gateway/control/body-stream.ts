import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { PlatformError } from '../../kernel/errors.ts';
import { unsupportedMedia } from './fastify-error.ts';

export interface BodyBound {
  readonly bytesMax: number;
  readonly flood: (bytesMax: number) => PlatformError;
}

/** Bodies in the routes of `scope` are not parsed but handed on, if they are of one of these media types. */
export function handBodiesOn(scope: FastifyInstance, mediaTypes: readonly string[]): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser([...mediaTypes], (_request, body, done) => done(null, body));
  scope.addContentTypeParser('*', (_request, _body, done) => done(unsupportedMedia(mediaTypes)));
}

/** A body that was handed on. Ending early leaves the connection whole, so that the client hears why. */
export async function* bodyStream(body: Readable, bound?: BodyBound): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bound !== undefined && bytes > bound.bytesMax) throw bound.flood(bound.bytesMax);
      yield chunk;
    }
  } finally {
    body.resume();
  }
}
