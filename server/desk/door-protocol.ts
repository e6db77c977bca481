import type { Deployment } from '../calls/deployment.ts';
import type { FunctionSpec } from '../functions/spec.ts';
import type { ErrorKind, ErrorOwner } from '../kernel/errors.ts';
import type { ProviderConfig } from '../models/model-settings.ts';

/**
 * What a desk asks through its door, as JSON by POST and with the pass of the request that it answers as its token; calls
 * of functions go through it, too, sealed, as those of any client. An answer that is not 200 is a `DoorError`.
 */
export const DOOR_PATHS = { callable: '/callable', model: '/model' } as const;

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
