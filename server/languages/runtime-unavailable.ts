import { PlatformError } from '../kernel/errors.ts';
import type { RuntimeId } from './language.ts';
import type { PreparableLanguage } from './shared-base.ts';

/** This server cannot run the runtime; `advice` says what the operator has to install. */
export function runtimeUnavailable(runtime: RuntimeId, advice: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'languages.runtime_unavailable',
    message: `This server cannot run ${runtime}. ${advice}`,
  });
}

/** Stands for a language that this machine lacks: it says what to install, and builds nothing. */
export function unavailableLanguage(runtime: RuntimeId, advice: string): PreparableLanguage {
  const refuse = (): Promise<never> => Promise.reject(runtimeUnavailable(runtime, advice));
  return {
    runtimes: [{ id: runtime, available: false, detail: advice }],
    build: refuse,
    worker: refuse,
    prepare: () => Promise.resolve(),
  };
}
