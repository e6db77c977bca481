import type { AccountId } from '../kernel/ids.ts';

/** One embedding model behind any engine. Keeps nothing of what passes through and names no content in its errors. */
export interface Embedder {
  /**
   * What vectors of this model are marked with, so that two models are never mixed: name and the beginning of the
   * weights' SHA-256 (`all-minilm-l6-v2-int8@1a2b3c4d5e6f`), or `<platform>/<model>` for endpoints.
   */
  readonly model: string;
  readonly dimensions: number;
  /** Whether texts leave this installation: such a one serves only accounts that chose its platform (decision D9). */
  readonly isOutside: boolean;
  readonly retention: 'none' | 'provider';
  /** Tokens of one text that count; the rest of a longer one is ignored. */
  readonly tokensMax: number;
  /** Unit vectors, one per text (at most 1024), in order. Rejects with `embeddings.*`. */
  embed(request: EmbedRequest): Promise<Float32Array[]>;
}

export interface EmbedRequest {
  readonly accountId: AccountId;
  readonly texts: readonly string[];
  readonly purpose: 'passage' | 'query';
  readonly signal: AbortSignal;
}

export interface Embedders {
  /** Asks each for what it does not know of itself yet; one that does not answer within seconds is left out. */
  list(): Promise<Pick<Embedder, 'model' | 'dimensions' | 'isOutside' | 'retention'>[]>;
  /**
   * The one with this identity, or the default. Rejects with `embeddings.none_configured` (names the ways to have
   * one), `embeddings.unknown_model`, `embeddings.not_chosen` for an outside one that the account did not choose.
   */
  select(accountId: AccountId, model: string | undefined): Promise<Embedder>;
  close(): Promise<void>;
}

/** Where an embedder comes from: a process or an endpoint that may not be there yet, or have another model by now. */
export interface EmbedderSource {
  /** The identity of its model, without the checksum where it has one. */
  readonly name: string;
  /** The platform that an account has to have chosen, if texts leave the installation. */
  readonly platform: string;
  readonly isOutside: boolean;
  /** The embedder as it is now. Rejects with `embeddings.*`. */
  open(): Promise<Embedder>;
  close(): Promise<void>;
}

/** Texts of one request. */
export const TEXTS_MAX = 1024;
