import type { Language } from './language.ts';

export interface PreparableLanguage extends Language {
  /** Makes the base layer ahead of the first deploy that needs it; needs the registries. */
  prepare(): Promise<void>;
}

/**
 * One base for the life of the process, made at the first need. Whoever needs it first may be called off
 * without calling off the others, so it has no signal of theirs. A failure is not kept.
 */
export function sharedBase<T>(make: (signal: AbortSignal) => Promise<T>): () => Promise<T> {
  let base: Promise<T> | undefined;
  return () => {
    base ??= make(new AbortController().signal).catch((error: unknown) => {
      base = undefined;
      throw error;
    });
    return base;
  };
}
