import type * as z from 'zod';

/**
 * One operation of the public API. The gateway validates requests with these schemas, tests check answers
 * against them, and the OpenAPI document is generated from them.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** OpenAPI form: `/core-service/v1/library/{functionId}`. */
  readonly path: string;
  readonly summary: string;
  /**
   * `open`: anybody. `key`: an API key in `x-jf-apikey` (old name `x-p48-apikey`, or as bearer).
   * `ownerKey`: a key of the installation's owner; others get 403. `keyOrToken`: a key, or a JFWT in `jfwt`.
   * `token`: a JFWT alone, and 403 without a good one, as for calls of functions. `session`: the portal's cookie alone;
   * where a key is taken, a session of the portal is, too, and has to be unlocked for what the account has sealed.
   */
  readonly access: 'open' | 'key' | 'ownerKey' | 'keyOrToken' | 'token' | 'session';
  /** Sessions of the portal need a sign-in of the last five minutes; keys and tokens are not asked. */
  readonly fresh?: true;
  /** Something that a person does with his own data: goes on while its use is restricted; everything else answers 423. */
  readonly ownAct?: true;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Larger than other bodies may be. */
  readonly bodyBytesMax?: number;
  /**
   * The body is `multipart/form-data` with one file part `file`; before that of a `document` there may be the fields
   * `documentId` and `metadata`, which is JSON.
   */
  readonly upload?: 'zip' | 'document';
  /** The body is of one of these media types and handed on as it comes. */
  readonly stream?: readonly string[];
  readonly success: Success;
  /** Statuses besides 500, which everything may answer. */
  readonly errors: readonly number[];
}

export type Success =
  | {
      readonly status: 200 | 201 | 202;
      readonly content: 'json';
      readonly schema: z.ZodType;
      /** Clients that accept `text/event-stream` get these instead. */
      readonly events?: z.ZodType;
      /** Clients that accept `application/x-ndjson` get lines of this instead. */
      readonly lines?: z.ZodType;
      /** Clients that accept one of these media types get it instead. */
      readonly alternatives?: readonly string[];
    }
  /** Bytes as they come, in one of these media types. */
  | { readonly status: 200; readonly content: 'stream'; readonly mediaTypes: readonly string[] }
  /** Server-sent events whose `data` is JSON of `schema`. */
  | { readonly status: 200; readonly content: 'events'; readonly schema: z.ZodType }
  | { readonly status: 204; readonly content: 'none' };
