import { PlatformError } from '../../kernel/errors.ts';

function packError(what: string, message: string, cause?: unknown): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: `rights.pack_${what}`, message, cause });
}

/** What is wrong with a pack. None says a word of what is in it. */
export const packErrors = {
  tooLarge: (mib: number): PlatformError =>
    new PlatformError({
      kind: 'too_large',
      code: 'rights.pack_too_large',
      message: `A copy that is taken over has at most ${mib} MiB. Take over databases and functions one by one.`,
    }),
  bomb: (): PlatformError =>
    new PlatformError({
      kind: 'too_large',
      code: 'rights.pack_bomb',
      message: 'The copy unpacks to more than may be taken over, or is packed tighter than any honest one.',
    }),
  notAPack: (cause?: unknown): PlatformError =>
    packError(
      'malformed',
      'This is no whole copy of a JellyFaaS account: a zip as "jellyfaas rights copy" writes it. Take it again.',
      cause,
    ),
  unsafe: (): PlatformError =>
    packError(
      'unsafe',
      'The copy holds an entry that no copy has: another name, twice the same, a link, or an encrypted one.',
    ),
  tampered: (): PlatformError =>
    packError(
      'tampered',
      'A file of the copy does not have the hash or size that its manifests say. Take it again.',
    ),
  otherFormat: (): PlatformError =>
    packError(
      'other_format',
      'The copy has a format that this installation does not read. Update it, or take the copy from a version that it reads.',
    ),
  badRow: (path: string, line: number): PlatformError =>
    packError('bad_row', `Line ${line} of ${path} in the copy does not have the form of its schema.`),
};
