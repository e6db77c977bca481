import type { Deployment } from '../calls/deployment.ts';
import type { Database } from '../databases/databases.ts';
import type { FunctionSpec } from '../functions/spec.ts';
import type { ErrorKind, ErrorOwner } from '../kernel/errors.ts';
import type { ProviderConfig } from '../models/model-settings.ts';

/**
 * What a desk asks through its door, as JSON by POST and with the pass of the request that it answers as its token; calls
 * of functions go through it, too, sealed, as those of any client. An answer that is not 200 is a `DoorError`.
 */
export const DOOR_PATHS = {
  callable: '/callable',
  model: '/model',
  /** The request fails, though its answer, being streamed or merely incomplete, has a status that does not say so. */
  failed: '/failed',
  embeddings: '/embeddings',
  databases: '/databases',
  engineKey: '/engine-key',
  /** A sealed request to the vector engine, as its bytes; the database is named in `DATABASE_HEADER`. */
  engine: '/engine',
} as const;

/** Percent-encoded. */
export const DATABASE_HEADER = 'jellyfaas-database';

/** Where the weights of the embedding model of that name are in a desk's jail. */
export function embeddingWeights(name: string): string {
  return `/opt/jellyfaas/weights/${name}`;
}

/** The caller's vector databases. */
export type DatabasesGiven = readonly Pick<Database, 'id' | 'name' | 'settings' | 'createdAt'>[];

/** What embeds here, and the platform that the caller chose, which decides over endpoints outside. */
export interface EmbeddingsGiven {
  /** Of the embedded model, in the desk's jail. */
  readonly directory: string | undefined;
  readonly endpoint: Provider | undefined;
  readonly certificates: readonly string[];
  readonly choice: string | undefined;
}

/** By shortname, or the caller's own library. */
export interface CallableAsked {
  readonly shortnames?: readonly string[];
}

export interface Callable {
  readonly deployment: Deployment;
  readonly spec: FunctionSpec;
}

export interface ModelAsked {
  readonly platform?: string;
}

/**
 * What the caller may ask: the model in the desk's own jail, or a provider's. `certificates`, as PEM, are good for it beside the
 * public authorities.
 */
export type ModelGiven =
  | { readonly isEmbedded: true; readonly model: string }
  | { readonly isEmbedded: false; readonly provider: Provider; readonly certificates: readonly string[] };

export interface Provider extends Omit<ProviderConfig, 'key'> {
  readonly key: string | undefined;
}

export interface DoorError {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly owner: ErrorOwner;
  readonly message: string;
}
