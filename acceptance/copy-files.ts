import { text } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';

/** The files of a copy, by their path below its folder. */
export type CopyFiles = ReadonlyMap<string, string>;

export async function unpackCopy(zip: Uint8Array): Promise<CopyFiles> {
  const archive = await fromBufferPromise(Buffer.from(zip));
  const files = new Map<string, string>();
  for await (const entry of archive.eachEntry())
    files.set(
      entry.fileName.replace(/^jellyfaas-copy\//, ''),
      await text(await archive.openReadStreamPromise(entry)),
    );
  return files;
}

export function rowsOf(files: CopyFiles, path: string): Record<string, unknown>[] {
  const lines = (files.get(`data/${path}.jsonl`) ?? '').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

interface ListedFile {
  readonly path: string;
  readonly isImportable: boolean;
}

/** Rows of all files that another installation takes over, without what has to differ there: ids and times. */
export function portable(files: CopyFiles): Record<string, string[]> {
  const { files: listed } = JSON.parse(files.get('data/manifest.json') ?? '') as { files: ListedFile[] };
  const found: Record<string, string[]> = {};
  for (const { path } of listed.filter(({ isImportable }) => isImportable))
    found[path] = (files.get(path) ?? '').split('\n').slice(0, -1).map(normalised).toSorted();
  return found;
}

function normalised(row: string): string {
  return row
    .replaceAll(/\b(?:fn|site|db|conv|acct)_[0-9A-Za-z]{20}\b/g, 'id')
    .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"time"');
}
