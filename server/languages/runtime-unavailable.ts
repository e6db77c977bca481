import { PlatformError } from '../kernel/errors.ts';
import type { RuntimeId } from './language.ts';

/** This server cannot run the runtime; `advice` says what the operator has to install. */
export function runtimeUnavailable(runtime: RuntimeId, advice: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'languages.runtime_unavailable',
    message: `This server cannot run ${runtime}. ${advice}`,
  });
}
