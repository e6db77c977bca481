/**
 * The functions that are known by name. `jellyfaas types` writes a file that adds yours; a name that is not here
 * can be called all the same, untyped.
 *
 * A member is `{ input: what invoke takes (query, json or file); output: what it answers }`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- filled by declaration merging
export interface Functions {}

export type QueryValue = string | number | boolean;
export type FileBody = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface InvokeInput {
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[] | undefined>>;
  /** At most one of `json` and `file`. */
  readonly json?: unknown;
  readonly file?: FileBody;
}

export interface CallOptions {
  /** The newest unless given. */
  readonly version?: number;
  /** Instead of the function's own. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Seals the call and its answer between here and the function's sandbox: nobody between, the platform's own gateway
   * included, reads path, query, headers, body or status. The first such call of a function takes as long as a cold start.
   */
  readonly sealed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A known name, or any other. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- names come by declaration merging
export type FunctionName = keyof Functions | (string & Record<never, never>);

export type InputOf<Name> = Name extends keyof Functions
  ? Functions[Name] extends { input: infer Input }
    ? Input
    : never
  : InvokeInput;

export type OutputOf<Name> = Name extends keyof Functions
  ? Functions[Name] extends { output: infer Output }
    ? Output
    : never
  : unknown;

/** Options may be left out where nothing of the input is required. */
export type InvokeArguments<Name> =
  Record<never, never> extends InputOf<Name>
    ? [options?: InputOf<Name> & CallOptions]
    : [options: InputOf<Name> & CallOptions];

export type ContentType = 'NONE' | 'JSON' | 'FILE';

/** What a function takes and answers. Schemas are JSON Schema 2020-12. */
export interface Requirements {
  readonly requestType: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly description?: string;
  readonly inputType: ContentType;
  readonly outputType: ContentType;
  readonly queryParams: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly description: string;
    readonly exampleData: string;
  }[];
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  /** Hosts that the function may reach, `*` for any public one; empty: no network. */
  readonly egress: readonly string[];
}

export interface Lookup {
  /** Where the function is called. */
  readonly dns: string;
  readonly requirements: Requirements;
}
