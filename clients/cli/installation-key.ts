import { usageError } from './failure.ts';

export const INSTALLATION_KEY_HELP = "with --sealed: take keys only with this server's signature (its `x`)";

/** Of a command that seals with `--sealed`. */
export function installationKeyOf(options: {
  readonly sealed?: boolean;
  readonly installationKey?: string;
}): string | undefined {
  const key = checkInstallationKey(options.installationKey);
  if (key === undefined || options.sealed === true) return key;
  throw usageError('--installation-key is for calls with --sealed; this one would go without a seal.');
}

/** `x` of an Ed25519 key; a mistake in writing it must not look like an attack on the keys for sealing. */
export function checkInstallationKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\w-]{43}$/.test(key)) return key;
  throw usageError(
    'That is no installation key: it is the "x" at /.well-known/jellyfaas-receipts, 43 letters, digits, - and _.',
  );
}
