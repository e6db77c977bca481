import * as z from 'zod';
import type { Copier, PackFile } from '../copier.ts';
import type { Area } from '../keepers.ts';

/**
 * How a copy lies in its zip: BagIt 1.0 (RFC 8493), whose payload names itself, its form and its meaning. Every path that
 * there can be follows from the areas and their files.
 */
export const FORMAT = 'jellyfaas-copy';
export const FORMAT_VERSION = 1;

/** The one folder in the zip. */
const ROOT = 'jellyfaas-copy/';
export const BAG_DECLARATION = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';

export const PATHS = {
  declaration: `${ROOT}bagit.txt`,
  hashes: `${ROOT}manifest-sha256.txt`,
  manifest: `${ROOT}data/manifest.json`,
  context: `${ROOT}data/context.jsonld`,
  page: `${ROOT}data/index.html`,
} as const;

export function rowsPath(area: Area, { name }: PackFile): string {
  return `${ROOT}data/${area}/${name}.jsonl`;
}

export function schemaPath(area: Area, { name }: PackFile): string {
  return `${ROOT}data/schema/${area}.${name}.schema.json`;
}

/** As it stands in manifests: below the folder. */
export function bagPath(path: string): string {
  return path.slice(ROOT.length);
}

export function zipPath(path: string): string {
  return ROOT + path;
}

export interface KnownFile {
  readonly area: Area;
  readonly file: PackFile;
  /** Whether an import reads it. */
  readonly isImportable: boolean;
}

/** All files of rows that copies of this version hold, by their path in the zip. */
export function knownFiles(copiers: readonly Copier[]): ReadonlyMap<string, KnownFile> {
  return new Map(
    copiers.flatMap((copier) =>
      copier.files.map((file) => [
        rowsPath(copier.area, file),
        {
          area: copier.area,
          file,
          isImportable: copier.importFrom !== undefined && file.nature === 'given',
        },
      ]),
    ),
  );
}

/** Parts that a copy names as missing; further ones are counted. */
export const MISSING_TOLD_MAX = 500;
export const NAME_LENGTH_MAX = 128;

const MissingPart = z.strictObject({
  /** Of the file where it would be. */
  path: z.string().max(200),
  /** Of the object; null when the rest of the file is missing. */
  name: z.string().max(NAME_LENGTH_MAX).nullable(),
  /** Of the error that kept it from being read. */
  code: z.string().regex(/^[a-z0-9_.]{1,64}$/),
});
export type MissingPart = z.infer<typeof MissingPart>;

const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/** `data/manifest.json`. */
export const Manifest = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  generator: z.string().max(100),
  createdAt: z.iso.datetime(),
  /** The account's id there: a pseudonym that means nothing anywhere else. */
  subject: z.string().max(64),
  files: z
    .array(
      z.strictObject({
        path: z.string().max(200),
        title: z.string().max(200),
        nature: z.enum(['given', 'observed', 'derived']),
        isImportable: z.boolean(),
        schema: z.string().max(200),
        rows: z.int().min(0),
        bytes: z.int().min(0),
        sha256: Hash,
      }),
    )
    .max(128),
  /** What was there and could not be read. */
  missing: z.array(MissingPart).max(MISSING_TOLD_MAX).default([]),
  missingCount: z.int().min(0).default(0),
});
export type Manifest = z.infer<typeof Manifest>;
export type ManifestFile = Manifest['files'][number];
