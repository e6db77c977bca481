import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Asker, Vectors } from '../../vectors/vectors.ts';
import type { Authenticator, Caller } from '../control/authenticate.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';

/** What vector databases need beside the control plane's own parts. */
export interface VectorParts {
  readonly service: Vectors;
  /** Textual IP address of whoever makes a request. */
  readonly originIp: (req: IncomingMessage) => string;
  /** Whether nothing goes on here behind a request, so that uploads are answered at their end. */
  readonly endsUploads?: boolean;
}

export interface VectorOptions extends Pick<
  ControlPlaneOptions,
  'events' | 'limits' | 'closing' | 'vectors'
> {
  readonly accounts: Authenticator;
}

/** A request, with what it takes to answer it. */
interface Request extends Caller {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** How requests on content are let in: so many at once, and with the key that opens what they are about. */
export type Admit = <T>(call: Request, work: (asker: Asker) => Promise<T>) => Promise<T>;
