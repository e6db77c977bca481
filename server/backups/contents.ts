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

const STORE = /\.db$/;
const SEALED = /^(blobs\/(upload|code)|backups\/tenant)\/[0-9A-Za-z_-]+$/;

/** All that is to be backed up, in order. */
export async function listContents(dataDir: string): Promise<Content[]> {
  const contents: Content[] = [];
  for (const folder of BACKED_UP) {
    for (const path of await filesBelow(dataDir, folder)) {
      if (STORE.test(path)) contents.push({ kind: 'store', path });
      else if (SEALED.test(path)) contents.push({ kind: 'sealed', path });
    }
  }
  return contents;
}

/** Regular files, the shallow before the deep; links are not followed. */
async function filesBelow(dataDir: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, folder), { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => `${folder}/${name}`);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}`);
  const deeper = await Promise.all(folders.map((one) => filesBelow(dataDir, one)));
  return [...files.toSorted(), ...deeper.flat()];
}
