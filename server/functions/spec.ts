import type { RuntimeId } from '../languages/language.ts';

/** JSON values as parsed; schemas are kept in this form after hygiene. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type RequestType = 'GET' | 'POST' | 'PUT' | 'DELETE';
export type ContentType = 'NONE' | 'JSON' | 'FILE';

export interface QueryParameter {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  readonly exampleData: string;
}

/** Extensions are lower-case without dot. */
export interface FileSchema {
  readonly extensions: readonly string[];
  readonly required: boolean;
  readonly description: string;
}

/** A body: nothing, JSON under a schema (draft 2020-12, clean for strict Ajv and for pydantic), or a file. */
export type BodySpec =
  | { readonly type: 'NONE' }
  | { readonly type: 'JSON'; readonly schema: Json; readonly example: string; readonly description: string }
  | { readonly type: 'FILE'; readonly schema: FileSchema; readonly description: string };

/** A validated, normalised jellyspec.json. Stored as JSON with the version. */
export interface FunctionSpec {
  readonly name: string;
  readonly shortname: string;
  readonly runtime: RuntimeId;
  readonly entrypoint: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly ai: boolean;
  readonly requestType: RequestType;
  readonly queryParams: readonly QueryParameter[];
  readonly input: BodySpec;
  readonly output: BodySpec;
  /** Our extensions of jellyspec, all optional there: sizes (default `["s"]`), egress hosts (default none), … */
  readonly sizes: readonly ('s' | 'm' | 'l')[];
  readonly egress: readonly string[];
  readonly timeoutSeconds: number;
  readonly corsOrigins: readonly string[];
}
