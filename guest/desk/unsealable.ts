import { PlatformError } from '../../server/kernel/errors.ts';

/** For what would leave the seal on its way. */
export function unsealable(what: string): PlatformError {
  return new PlatformError({
    kind: 'unimplemented',
    code: 'ai.not_sealable',
    owner: 'caller',
    message: `A sealed question cannot use ${what}: what they are asked would leave the seal. Ask without the seal, or without them.`,
  });
}
