import { PlatformError } from '../../kernel/errors.ts';
import { MISSING_TOLD_MAX, type MissingPart, NAME_LENGTH_MAX } from './layout.ts';

/** What was to go into a copy and could not be read: it is named there, and the copy goes on. */
export class MissingParts {
  /** The first of them. */
  readonly told: MissingPart[] = [];
  count = 0;

  /** `name`: of the object; null when the rest of the file is missing. */
  add(path: string, name: string | null, thrown: unknown): void {
    this.count++;
    if (this.told.length >= MISSING_TOLD_MAX) return;
    const { code } = thrown instanceof PlatformError ? thrown : UNREADABLE;
    this.told.push({ path, name: name?.slice(0, NAME_LENGTH_MAX) ?? null, code });
  }
}

const UNREADABLE = { code: 'rights.unreadable' } as const;
