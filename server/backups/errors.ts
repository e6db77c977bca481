import { type ErrorKind, PlatformError } from '../kernel/errors.ts';

export const backupErrors = {
  plaintext: (path: string) =>
    backupError(
      'plaintext',
      `The file ${path} is not encrypted, so it was not backed up. Move it out of the data directory.`,
    ),
  changing: (path: string) =>
    backupError(
      'changing',
      `The file ${path} changed all the time while it was copied. The next backup tries again.`,
    ),
  targetFull: () => backupError('target_full', 'The backup target is full. Free some space there.'),
  targetUnusable: (what: string) =>
    backupError(
      'target_unusable',
      `The backup target cannot be used: ${what}. Check that it is there and writable.`,
    ),
  noSpace: () =>
    backupError(
      'no_space',
      'There is no room for the restore beside the data; nothing was changed. Free some space.',
    ),
  damaged: (what: string) =>
    backupError('damaged', `The backup cannot be trusted: ${what}. Take another generation.`),
  keysUnreadable: () =>
    backupError(
      'keys_unreadable',
      'The backup of the keys is missing, damaged or of another root key. Check backupKeysTarget and the root key.',
    ),
  keysNotUpdated: () =>
    backupError(
      'keys_not_updated',
      'The key is destroyed here, but the backup of the keys could not be rewritten. Make its directory writable, and delete again.',
    ),
  samePerson: () =>
    backupError(
      'same_person',
      'Who asked for the restore cannot approve it. Let a second person do it, with an API key of the owner that is not yours.',
      'permission_denied',
    ),
  needsKey: () =>
    backupError(
      'needs_key',
      'A restore is asked for and approved with an API key of the owner, not by a session.',
      'permission_denied',
    ),
  notApproved: () =>
    backupError(
      'not_approved',
      'There is no such restore that a second person has approved in the last 24 hours. Ask for it again.',
      'failed_precondition',
    ),
};

function backupError(what: string, message: string, kind: ErrorKind = 'unavailable'): PlatformError {
  return new PlatformError({
    kind,
    code: `backups.${what}`,
    owner: kind === 'unavailable' ? 'platform' : 'caller',
    message,
  });
}
