import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A sealed file, or a SQLite file that is copied together with its log. Paths are relative to the data directory. */
export interface Content {
  readonly kind: 'store' | 'sealed';
  readonly path: string;
}

/**
 * The folders of the data directory that are backed up, catalogues before what they name: what a catalogue of an earlier
 * moment knows of is still there later, or was deleted for good. Keys are backed up apart; layers and models come from
 * public places.
 */
export const BACKED_UP = [
  'backups',
  'accounts',
  'functions',
  'databases',
  'aimee',
  'calls',
  'blobs',
] as const;
export const NOT_BACKED_UP = ['keys', 'layers', 'models', 'lock', 'restore'] as const;

/** The other two are what a crash left of one whose key was being changed, until it is used again. */
const STORE = /\.db(?:\.old|\.next)?$/;
const SEALED = /^(blobs\/(upload|code|source)|backups\/tenant)\/[0-9A-Za-z_-]+$/;

/**
 * All that is to be backed up, in order. Each folder is looked into when its turn comes: what a catalogue names, which was
 * copied before, is there by then.
 */
export async function* listContents(dataDir: string): AsyncGenerator<Content> {
  for (const folder of BACKED_UP) {
    for await (const path of filesBelow(dataDir, folder)) {
      if (STORE.test(path)) yield { kind: 'store', path };
      else if (SEALED.test(path)) yield { kind: 'sealed', path };
    }
  }
}

/** Regular files, the shallow before the deep; links are not followed. */
async function* filesBelow(dataDir: string, folder: string): AsyncGenerator<string> {
  const look = async (): Promise<Dirent[]> => {
    const entries = await readdir(join(dataDir, folder), { withFileTypes: true }).catch(
      (thrown: NodeJS.ErrnoException) => {
        if (thrown.code === 'ENOENT') return [];
        throw thrown;
      },
    );
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };
  for (const entry of await look()) if (entry.isFile()) yield `${folder}/${entry.name}`;
  for (const entry of await look())
    if (entry.isDirectory()) yield* filesBelow(dataDir, `${folder}/${entry.name}`);
}
