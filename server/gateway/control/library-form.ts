import type {
  BadBuild as WireBadBuild,
  FunctionDetails,
  LibraryItem,
  LibraryRequirements,
  LookupRequirements,
  Version,
} from '../../../contract/index.ts';
import type { BadBuild, FunctionVersion, LibraryFunction } from '../../functions/functions.ts';
import { languageSamples } from '../../functions/samples.ts';
import { encodeSchema, hasUnionType } from '../../functions/schema-hygiene.ts';
import type { BodySpec, FunctionSpec, Json } from '../../functions/spec.ts';
import { encodedDeclaration } from '../../functions/tool-declaration.ts';
import { rfc3339 } from '../../kernel/clock.ts';

/** Renders functions in the forms that the unmodified public clients decode. Optional fields are absent, never null. */

export function libraryItem(fn: LibraryFunction): LibraryItem {
  const newest = fn.versions[0];
  const { invocations, avgDurationMs } = totals(fn.versions);
  return {
    createdAt: rfc3339(fn.createdAt),
    name: fn.name,
    description: fn.description,
    owner: fn.ownerName,
    ownerDescription: '',
    functionId: fn.shortname,
    versions: fn.versions.length,
    lastRelease: rfc3339(newest?.releasedAt ?? fn.updatedAt),
    active: fn.active,
    published: fn.published,
    sizes: (newest?.deployments ?? []).map(({ size }) => ({
      size,
      invocationCount: invocations,
      avgResponseTime: avgDurationMs,
    })),
    avgRating: 0,
    ratingCount: 0,
    readmeFile: base64(newest?.readme ?? ''),
    tags: [...fn.tags],
    ai: fn.ai,
  };
}

export function functionDetails(fn: LibraryFunction, publicUrl: string): FunctionDetails {
  return {
    createdAt: rfc3339(fn.createdAt),
    updatedAt: rfc3339(fn.updatedAt),
    name: fn.name,
    functionId: fn.shortname,
    owner: fn.ownerName,
    ownerDescription: '',
    versionCount: fn.versions.length,
    versions: fn.versions.map((version, index) =>
      versionDetails(version, { latest: index === 0, publicUrl }),
    ),
    active: fn.active,
    published: fn.published,
    avgRating: 0,
    ratingCount: 0,
    tags: [...fn.tags],
    ai: fn.ai,
  };
}

export function badBuild(build: BadBuild): WireBadBuild {
  return {
    createdAt: rfc3339(build.createdAt),
    buildId: build.id,
    name: build.name,
    functionId: build.shortname,
    errorDetails: build.errorDetails,
  };
}

function totals(versions: readonly FunctionVersion[]): { invocations: number; avgDurationMs: number } {
  let invocations = 0;
  let durationMs = 0;
  for (const { statistics } of versions) {
    invocations += statistics.invocations;
    durationMs += statistics.invocations * statistics.avgDurationMs;
  }
  return { invocations, avgDurationMs: invocations === 0 ? 0 : Math.round(durationMs / invocations) };
}

function versionDetails(
  version: FunctionVersion,
  { latest, publicUrl }: { latest: boolean; publicUrl: string },
): Version {
  const { spec, changelog } = version;
  const url = `${publicUrl}/${version.deployments[0]?.id ?? ''}`;
  return {
    version: version.version,
    latest,
    releaseDate: rfc3339(version.releasedAt),
    runtime: spec.runtime,
    runtimeDetail: version.runtimeDetail,
    requirements: libraryRequirements(spec),
    sizes: version.deployments.map(({ size, id }) => ({ size, functionId: id })),
    egress: [...spec.egress],
    languageSamples: languageSamples(spec, url),
    ...(version.changelogText !== '' && { changeLog: base64(version.changelogText) }),
    ...(changelog !== null && {
      changeLogDetails: {
        date: changelog.date,
        added: base64(changelog.added),
        updated: base64(changelog.updated),
        removed: base64(changelog.removed),
      },
    }),
    readmeFile: base64(version.readme),
    entryPoint: spec.entrypoint,
    description: spec.description,
  };
}

/** The SDKs' form: every schema under one pair of names, whatever its kind. */
export function lookupRequirements(spec: FunctionSpec): LookupRequirements {
  const input = schemaOf(spec.input);
  const output = schemaOf(spec.output);
  return {
    ...commonRequirements(spec),
    ...(input !== undefined && { inputSchemaEncoded: encodeSchema(input) }),
    ...(output !== undefined && { outputSchemaEncoded: encodeSchema(output) }),
  };
}

export function libraryRequirements(spec: FunctionSpec): LibraryRequirements {
  const { input, output } = spec;
  const functionCallingEncoded = encodedDeclaration(spec);
  return {
    ...commonRequirements(spec),
    ...(functionCallingEncoded !== undefined && { functionCallingEncoded }),
    ...(input.type === 'JSON' && {
      ...(decodesInGo(input.schema) && { inputJsonSchema: input.schema }),
      inputJsonSchemaEncoded: encodeSchema(input.schema),
      inputJsonExample: base64(input.example),
    }),
    ...(input.type === 'FILE' && {
      inputFileSchema: fileSchema(input),
      inputFileSchemaEncoded: encodeSchema(input.schema),
    }),
    ...(output.type === 'JSON' && {
      ...(decodesInGo(output.schema) && { outputJsonSchema: output.schema }),
      outputJsonSchemaEncoded: encodeSchema(output.schema),
      outputJsonExample: output.example,
    }),
    ...(output.type === 'FILE' && {
      outputFileSchema: fileSchema(output),
      outputFileSchemaEncoded: encodeSchema(output.schema),
    }),
  };
}

function commonRequirements(spec: FunctionSpec): LookupRequirements {
  const input = schemaOf(spec.input);
  const output = schemaOf(spec.output);
  return {
    requestType: spec.requestType,
    description: spec.description,
    inputType: spec.input.type,
    outputType: spec.output.type,
    queryParams: spec.queryParams.map((parameter) => ({ ...parameter })),
    ...(input !== undefined && { inputSchema: input }),
    ...(output !== undefined && { outputSchema: output }),
    egress: [...spec.egress],
  };
}

function schemaOf(body: BodySpec): Json | object | undefined {
  return body.type === 'NONE' ? undefined : body.schema;
}

function fileSchema(body: Extract<BodySpec, { type: 'FILE' }>): {
  extensions: string[];
  required: boolean;
  description: string;
} {
  return { ...body.schema, extensions: [...body.schema.extensions] };
}

/** The command line decodes these into a struct whose `type` is one string; the encoded form carries the rest. */
function decodesInGo(schema: Json): schema is { readonly [key: string]: Json } {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) && !hasUnionType(schema);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
