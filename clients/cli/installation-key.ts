import { usageError } from './failure.ts';

/** `x` of an Ed25519 key; a mistake in writing it must not look like an attack on the keys for sealing. */
export function checkInstallationKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\w-]{43}$/.test(key)) return key;
  throw usageError(
    'That is no installation key: it is the "x" at /.well-known/jellyfaas-receipts, 43 letters, digits, - and _.',
  );
}
