import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import * as z from 'zod';
import type { Holder } from '../../accounts/principal.ts';
import type { AccountId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import { type RawEntry, rawZip } from '../../../testkit/raw-zip.ts';
import type { Copier, PackFile } from '../copier.ts';
import { createPack } from '../packs/write-pack.ts';

export const HOLDER: Holder = {
  accountId: 'acct_00000000000000000001' as AccountId,
  accountKey: new Secret(new Uint8Array(32)),
};

const Note = z.strictObject({ number: z.int(), text: z.string() });
type Note = z.infer<typeof Note>;

const NOTES: PackFile<Note> = { name: 'notes', title: 'Notes', nature: 'given', row: Note };

/** An area that keeps notes. */
export interface NotesCopier extends Copier {
  readonly notes: Note[];
}

export function createNotesCopier(notes: Note[]): NotesCopier {
  return {
    area: 'accounts',
    files: [NOTES],
    notes,
    exportTo: (_holder, writer) => writer.rows(NOTES, notes),
    async importFrom(_holder, reader, outcome) {
      for await (const note of reader.rows(NOTES)) {
        notes.push(note);
        outcome.taken('note');
      }
    },
  };
}

export async function packOf(copier: Copier): Promise<Buffer> {
  const pack = createPack({
    copiers: [copier],
    generator: 'JellyFaaS 0.1.0',
    createdAt: '2026-11-24T00:00:00.000Z',
    subject: HOLDER.accountId,
  });
  const bytes = buffer(pack.output);
  await copier.exportTo(HOLDER, pack.writerOf(copier));
  await pack.finish(() => '<!doctype html>');
  return await bytes;
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** The files of an honest pack of notes, to be made dishonest. */
export interface Bag {
  /** Below `jellyfaas-copy/`. */
  readonly files: Map<string, string>;
  /** Changes the payload's own manifest. */
  readonly manifest: (change: (manifest: BagManifest) => void) => void;
}

export interface BagManifest {
  format: string;
  version: number;
  files: { path: string; rows: number; bytes: number; sha256: string }[];
}

const ROWS = 'data/accounts/notes.jsonl';

export function honestBag(rows = '{"number":1,"text":"one"}\n'): Bag {
  const files = new Map([
    ['bagit.txt', 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'],
    ['data/context.jsonld', '{}'],
    ['data/schema/accounts.notes.schema.json', '{}'],
    [ROWS, rows],
    ['data/index.html', '<!doctype html>'],
    [
      'data/manifest.json',
      JSON.stringify({
        format: 'jellyfaas-copy',
        version: 1,
        generator: 'another one',
        createdAt: '2026-11-24T00:00:00Z',
        subject: 'acct_1',
        files: [
          {
            path: ROWS,
            title: 'Notes',
            nature: 'given',
            isImportable: true,
            schema: 'data/schema/accounts.notes.schema.json',
            rows: 1,
            bytes: Buffer.byteLength(rows),
            sha256: sha256(rows),
          },
        ],
      }),
    ],
  ]);
  return {
    files,
    manifest(change) {
      const manifest = JSON.parse(files.get('data/manifest.json') ?? '') as BagManifest;
      change(manifest);
      files.set('data/manifest.json', JSON.stringify(manifest));
    },
  };
}

/** Its zip; entries of it can lie, and there can be further ones. */
export function zipOf(
  { files }: Bag,
  {
    lies = {},
    more = [],
    hashes,
  }: {
    readonly lies?: Readonly<Record<string, Partial<RawEntry>>>;
    readonly more?: readonly RawEntry[];
    readonly hashes?: (honest: string) => string;
  } = {},
): Buffer {
  const honest = [...files]
    .filter(([path]) => path.startsWith('data/'))
    .map(([path, text]) => `${sha256(text)}  ${path}\n`)
    .join('');
  const all = new Map([...files, ['manifest-sha256.txt', hashes?.(honest) ?? honest]]);
  return rawZip([
    ...[...all].map(([path, data]) => ({ name: `jellyfaas-copy/${path}`, data, ...lies[path] })),
    ...more,
  ]);
}
