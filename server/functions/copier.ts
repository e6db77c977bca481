import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import * as z from 'zod';
import type { Holder } from '../accounts/principal.ts';
import { rfc3339 } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import { runs } from '../kernel/runs.ts';
import type { SourceFile, SourceTree } from '../kernel/source-tree.ts';
import type { Copier, PackFile, PackWriter } from '../rights/copier.ts';
import { archiveError, archiveTooLarge } from './archive-entry.ts';
import { type Blobs, versionBlobs } from './blobs.ts';
import type { FunctionsContext } from './context.ts';
import { isSource, readSpec } from './documents.ts';
import type { FunctionRow, VersionRow } from './function-store.ts';
import type { Functions } from './functions.ts';
import { ARCHIVE_LIMITS } from './limits.ts';
import { decodeTree } from './tree-codec.ts';

const Time = z.iso.datetime();
const Shortname = z.string().max(100);

const FunctionOf = z.strictObject({
  id: z.string(),
  shortname: Shortname,
  published: z.boolean(),
  createdAt: Time,
  updatedAt: Time,
});
const FUNCTIONS: PackFile<z.infer<typeof FunctionOf>> = {
  name: 'functions',
  title: 'Functions',
  nature: 'observed',
  row: FunctionOf,
};

const Version = z.strictObject({
  shortname: Shortname,
  version: z.int(),
  releasedAt: Time,
  runtimeDetail: z.string(),
  digest: z.string(),
  spec: z.record(z.string(), z.json()),
  readme: z.string(),
  changelog: z.string(),
});
const VERSIONS: PackFile<z.infer<typeof Version>> = {
  name: 'versions',
  title: 'Their versions, with settings, readme and changelog; all of it is made from the code',
  nature: 'derived',
  row: Version,
};

const CodePart = z.strictObject({
  shortname: Shortname,
  version: z.int(),
  path: z.string().max(1024),
  executable: z.boolean(),
  base64: z.base64(),
});
type CodePart = z.infer<typeof CodePart>;
const CODE: PackFile<CodePart> = {
  name: 'code',
  title: 'The sources of each version, or what a compiler made where they were not kept; large ones in parts',
  nature: 'given',
  row: CodePart,
};

const BadBuildOf = z.strictObject({ shortname: Shortname, createdAt: Time, errorDetails: z.string() });
const BAD_BUILDS: PackFile<z.infer<typeof BadBuildOf>> = {
  name: 'bad-builds',
  title: 'Builds that failed, in the words of the build tool',
  nature: 'observed',
  row: BadBuildOf,
};

const PART_BYTES = 192 * 1024;

type Control = Pick<Functions, 'deploy' | 'watchBuild' | 'badBuilds'>;

/**
 * Functions with their code. Taking one over is deploying it again: the same checks, the same build. It belongs to nobody
 * but its account then, and is not published.
 */
export function createFunctionsCopier(ctx: FunctionsContext, functions: Control): Copier {
  const own = async ({ accountId }: Holder): Promise<FunctionRow[]> =>
    (await ctx.store.listVisible(accountId)).filter(({ ownerId }) => ownerId === accountId);
  return {
    area: 'functions',
    files: [FUNCTIONS, VERSIONS, CODE, BAD_BUILDS],
    async exportTo(holder, writer) {
      await writer.rows(
        FUNCTIONS,
        (await own(holder)).map(({ id, shortname, published, createdAt, updatedAt }) => ({
          id,
          shortname,
          published,
          createdAt: rfc3339(createdAt),
          updatedAt: rfc3339(updatedAt),
        })),
      );
      await writer.rows(VERSIONS, versionRows(ctx, await own(holder)));
      await writer.rows(CODE, codeRows(ctx, await own(holder), writer));
      const bad = await functions.badBuilds(memberOf(holder));
      await writer.rows(
        BAD_BUILDS,
        bad.map(({ shortname, createdAt, errorDetails }) => ({
          shortname,
          createdAt: rfc3339(createdAt),
          errorDetails,
        })),
      );
    },
    async importFrom(holder, reader, outcome) {
      const begun = new Set<string>();
      const keyOf = ({ shortname, version }: CodePart): string => `${shortname} ${version}`;
      for await (const { key, first, items } of runs(reader.rows(CODE), keyOf)) {
        try {
          if (!begun.has(first.shortname) && (await isTaken(ctx, holder, first.shortname)))
            throw taken(first.shortname);
          await deployed(functions, holder, await zipOf(first.shortname, items));
          begun.add(first.shortname);
          outcome.taken('function version');
        } catch (thrown) {
          outcome.left('function version', key, thrown);
        }
      }
    },
  };
}

async function* versionRows(
  { store }: FunctionsContext,
  own: readonly FunctionRow[],
): AsyncGenerator<z.infer<typeof Version>> {
  for (const { id, shortname } of own) {
    for (const found of await oldestFirst(store, id)) {
      const { version, releasedAt, runtimeDetail, digest, spec, readme, changelogText: changelog } = found;
      yield {
        shortname,
        version,
        releasedAt: rfc3339(releasedAt),
        runtimeDetail,
        digest,
        // It is stored as JSON.
        spec: { ...spec } as unknown as z.infer<typeof Version>['spec'],
        readme,
        changelog,
      };
    }
  }
}

async function* codeRows(
  { store, blobs }: FunctionsContext,
  own: readonly FunctionRow[],
  writer: PackWriter,
): AsyncGenerator<CodePart> {
  for (const { id, shortname } of own) {
    for (const { version } of await oldestFirst(store, id)) {
      try {
        yield* filesOfVersion(await givenTree(blobs, id, version), { shortname, version });
      } catch (thrown) {
        writer.missing(CODE, `${shortname} ${version}`, thrown);
      }
    }
  }
}

/** What its author uploaded; the code where no sources are kept beside it. */
async function givenTree(blobs: Blobs, id: FunctionRow['id'], version: number): Promise<SourceTree> {
  const [code, source] = versionBlobs(id, version);
  return decodeTree(await blobs.get((await blobs.isDestroyed(source)) ? code : source));
}

function* filesOfVersion(
  tree: SourceTree,
  version: Pick<CodePart, 'shortname' | 'version'>,
): Generator<CodePart> {
  for (const file of tree) for (const part of partsOf(file)) yield { ...version, ...part };
}

/** At least one, be it empty. */
function* partsOf([path, { bytes, executable }]: readonly [string, SourceFile]): Generator<
  Pick<CodePart, 'path' | 'executable' | 'base64'>
> {
  for (let at = 0; at === 0 || at < bytes.byteLength; at += PART_BYTES) {
    const part = Buffer.from(bytes.subarray(at, at + PART_BYTES));
    yield { path, executable, base64: part.toString('base64') };
  }
}

async function oldestFirst(
  store: FunctionsContext['store'],
  id: FunctionRow['id'],
): Promise<readonly VersionRow[]> {
  return (await store.versions(id)).toReversed();
}

/** What has nothing but bad builds may be tried again. */
async function isTaken({ store }: FunctionsContext, { accountId }: Holder, name: string): Promise<boolean> {
  const own = await store.own(accountId, name);
  if (own !== undefined) return (await store.versions(own.id)).length > 0;
  return await store.shortnameTaken(name);
}

/** The archive that a version is deployed from again. */
async function zipOf(shortname: string, parts: AsyncIterable<CodePart>): Promise<Buffer> {
  const files = await filesOf(parts);
  if (!isSource(files)) throw noSources();
  // Else it would become a version of a function that is there.
  if (readSpec(files).shortname !== shortname) throw otherName();
  const zip = new ZipFile();
  zip.on('error', () => undefined);
  try {
    for (const [path, { bytes, executable }] of files)
      zip.addBuffer(Buffer.from(bytes), `${shortname}/${path}`, { mode: executable ? 0o100755 : 0o100644 });
  } catch (thrown) {
    throw archiveError('unsafe_path', 'A file name leads out of the function’s own folder.', thrown);
  }
  zip.end();
  return await buffer(zip.outputStream);
}

async function filesOf(parts: AsyncIterable<CodePart>): Promise<SourceTree> {
  const files = new Map<string, { readonly executable: boolean; readonly parts: Buffer[] }>();
  let total = 0;
  for await (const { path, executable, base64 } of parts) {
    const bytes = Buffer.from(base64, 'base64');
    total += bytes.byteLength;
    if (total > ARCHIVE_LIMITS.unpackedBytesMax || files.size > ARCHIVE_LIMITS.entriesMax)
      throw archiveTooLarge('bomb', 'The version has more files or bytes than a function may have.');
    const file = files.get(path) ?? { executable, parts: [] };
    file.parts.push(bytes);
    files.set(path, file);
  }
  const whole = [...files].map(
    ([path, file]) => [path, { bytes: Buffer.concat(file.parts), executable: file.executable }] as const,
  );
  return new Map(whole);
}

/** Resolves when the version is live. */
async function deployed(functions: Control, holder: Holder, zip: Buffer): Promise<void> {
  const principal = memberOf(holder);
  const { operations } = await functions.deploy(principal, zip);
  const [operation] = operations;
  if (operation === undefined) return;
  const events = functions.watchBuild(principal, operation.buildId, new AbortController().signal);
  for await (const event of events) if (event.type === 'failed') throw notBuilt();
}

function memberOf({ accountId }: Holder): { accountId: Holder['accountId']; role: 'member' } {
  return { accountId, role: 'member' };
}

function taken(shortname: string): PlatformError {
  return new PlatformError({
    kind: 'conflict',
    code: 'functions.shortname_taken',
    message: `There is a function ${shortname} here already.`,
  });
}

function noSources(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'rights.no_sources',
    message:
      'The copy has this compiled function without its sources, which were not kept when it was built. Deploy it from where you keep them.',
  });
}

function otherName(): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'rights.other_name',
    message: 'The function has another shortname in its jellyspec.json than in the copy.',
  });
}

function notBuilt(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'rights.not_built',
    message: 'The function was taken over, but does not build here. The list of bad builds says why.',
  });
}
