import type { TargetPlace } from './backup-settings.ts';
import { type BackupTarget, createDirectoryTarget } from './target.ts';

/** The client of S3 is loaded by those alone who use it. */
export async function openTarget(place: TargetPlace): Promise<BackupTarget> {
  if (place.kind === 'directory') return createDirectoryTarget(place.path);
  return (await import('./s3-target.ts')).createS3Target(place);
}
