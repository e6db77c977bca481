import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import type * as contract from '@jellyfaas/contract';
import { CliError } from './failure.ts';
import { connectionFailure, sendRequest } from './http.ts';
import type { Settings } from './settings.ts';

type Output<Schema> = Schema extends { _zod: { output: infer Value } } ? Value : never;

/** Answers of the server, as the contract declares them. */
export type Library = contract.Library;
export type FunctionDetails = contract.FunctionDetails;
export type Version = contract.Version;
export type DeployResult = contract.DeployResult;
export type Lookup = contract.Lookup;
export type BuildEvent = contract.BuildEvent;
export type Calls = contract.Calls;
export type ValidatedKey = Output<typeof contract.ValidatedKey>;
export type BadBuilds = Output<typeof contract.BadBuilds>;
export type UploadStatus = Output<typeof contract.UploadStatus>;
export type Entities = Output<typeof contract.Entities>;
export type CreatedEntity = Output<typeof contract.CreatedEntity>;
export type Me = Output<typeof contract.Me>;
export type ApiKeys = Output<typeof contract.ApiKeys>;
export type CreatedApiKey = Output<typeof contract.CreatedApiKey>;
export type SignInLink = Output<typeof contract.SignInLink>;
export type ConsoleLine = Output<typeof contract.ConsoleLine>;
export type AiEvent = contract.AiEvent;
export type AiModels = Output<typeof contract.AiModels>;
export type AiChoice = Output<typeof contract.AiChoice>;
export type BackupList = contract.BackupList;
export type MadeBackup = contract.MadeBackup;
export type BackupVerification = contract.BackupVerification;
export type BackupRestore = contract.BackupRestore;
export type BackupRestores = contract.BackupRestores;
export type BackupLog = contract.BackupLog;
export type VisitorRequest = contract.VisitorRequest;
export type VisitorRequests = contract.VisitorRequests;
export type RightsRequest = contract.RightsRequest;
export type RightsRequests = contract.RightsRequests;
export type OpenRequest = contract.OpenRequest;
export type OpenRequests = contract.OpenRequests;
export type CarriedOut = Output<typeof contract.CarriedOut>;
export type AccountErased = contract.AccountErased;
export type InstallationKeysRotated = contract.InstallationKeysRotated;
export type AccountKeysRotated = contract.AccountKeysRotated;
export type CopyInvitation = contract.CopyInvitation;
export type ReceivedCopy = contract.ReceivedCopy;
export type TakenCopy = contract.TakenCopy;
export type PullEvent = contract.PullEvent;
export type ToolSource = contract.ToolSource;
export type ToolSources = Output<typeof contract.ToolSources>;
export type InspectedSource = contract.InspectedSource;
export type VectorDatabases = Output<typeof contract.VectorDatabases>;
export type VectorDatabase = contract.VectorDatabase;
export type DescribedVectorDatabase = contract.DescribedVectorDatabase;
export type VectorHits = contract.VectorHits;
export type VectorAnswerEvent = contract.VectorAnswerEvent;
export type StartedUpload = contract.StartedUpload;
export type UploadEvent = contract.UploadEvent;
export type UploadProgress = contract.UploadProgress;
export type Documents = contract.Documents;
export type DroppedDatabase = Output<typeof contract.DroppedDatabase>;
export type AimeeSite = contract.AimeeSite;
export type AimeeSites = contract.AimeeSites;
export type AimeeSnippet = contract.AimeeSnippet;
export type AimeeKnowledge = contract.AimeeKnowledge;
export type AimeeCrawl = contract.AimeeCrawl;
export type AimeeConversations = contract.AimeeConversations;
export type AimeeConversationSummary = contract.AimeeConversationSummary;
export type AimeeConversation = contract.AimeeConversation;
export type AimeeEntry = contract.AimeeEntry;
export type AimeeFound = contract.AimeeFound;
export type AimeePurged = contract.AimeePurged;
export type AimeeStatistics = contract.AimeeStatistics;
export type SqlValue = contract.SqlValue;
export type SqlResult = contract.SqlResult;
export type SqlLine = contract.SqlLine;
export type SqlSchema = contract.SqlSchema;
export type SqlEvent = contract.SqlEvent;
export type SqlImported = contract.SqlImported;
export type SqlDatabase = Output<typeof contract.SqlDatabase>;
export type SqlDatabases = contract.SqlDatabases;
export type SqlDatabaseDetails = contract.SqlDatabaseDetails;
export type SqlMigrated = Output<typeof contract.SqlMigrated>;
export type Runtimes = Output<typeof contract.Runtimes>;

const TIMEOUT_MS = 30_000;
const UPLOAD_TIMEOUT_MS = 300_000;
const ERROR_BYTES_MAX = 64 * 1024;
const EVENT_LENGTH_MAX = 1024 * 1024;

export interface SentFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly type?: string;
}

interface SentStream {
  readonly content: Readable;
  readonly type: string;
}

interface EventsOptions {
  readonly onOpen?: () => void;
  readonly body?: object;
}

/** The key of the settings; throws what to do where there is none. */
export function requireKey({ url, apiKey }: Settings): string {
  if (apiKey !== undefined) return apiKey;
  throw new CliError(
    `There is no API key for ${url} yet. Run "jellyfaas login --url ${url}", or set JELLYFAAS_API_KEY.`,
    { code: 'cli.no_key' },
  );
}

/** The server's control plane under one API key. Failed answers become CliErrors that say what to do. */
export class Api {
  readonly url: string;
  readonly #apiKey: string;

  constructor({ url, apiKey }: Settings) {
    this.url = url;
    this.#apiKey = requireKey({ url, apiKey });
  }

  get<T>(path: string): Promise<T> {
    return this.send('GET', path);
  }

  send<T>(method: string, path: string, body?: object): Promise<T> {
    return this.#sendWithin(TIMEOUT_MS, { method, path, body });
  }

  /** What the server works on for as long as it takes. */
  sendSlow<T>(method: string, path: string, body?: object): Promise<T> {
    return this.#sendWithin(undefined, { method, path, body });
  }

  async #sendWithin<T>(
    timeoutMs: number | undefined,
    { method, path, body }: { method: string; path: string; body: object | undefined },
  ): Promise<T> {
    const json = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await this.#request({
      method,
      path,
      headers: type,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...json,
    });
    return readJson<T>(answer);
  }

  upload(fileName: string, zip: Uint8Array): Promise<DeployResult> {
    const name = fileName.replace(/[^\w.-]/g, '_');
    return this.sendFile('/core-service/v1/upload', { name, content: zip, type: 'application/zip' });
  }

  /** A multipart form: the fields, then the file. */
  async sendFile<T>(path: string, file: SentFile, fields: Readonly<Record<string, string>> = {}): Promise<T> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([new Uint8Array(file.content)], { type: file.type }), file.name);
    const encoded = new Response(form);
    const answer = await this.#request({
      method: 'POST',
      path,
      headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
      body: new Uint8Array(await encoded.arrayBuffer()),
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
    return readJson<T>(answer);
  }

  /** A body that is read as it is sent. */
  async sendStream<T>(path: string, { content, type }: SentStream): Promise<T> {
    const headers = { 'content-type': type };
    return readJson<T>(await this.#request({ method: 'POST', path, headers, body: content }));
  }

  /** An answer of any type, as it comes. */
  open(path: string): Promise<IncomingMessage> {
    return this.#request({ method: 'GET', path, headers: { accept: '*/*' } });
  }

  /** JSON lines of an answer, as they come. */
  async *lines<T>(path: string, body: object): AsyncGenerator<T> {
    const answer = await this.#request({
      method: 'POST',
      path,
      headers: { accept: 'application/x-ndjson', 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    });
    try {
      for await (const line of createInterface({ input: answer, crlfDelay: Infinity }))
        if (line !== '') yield JSON.parse(line) as T;
    } catch (error) {
      throw connectionFailure(error, this.url);
    } finally {
      answer.destroy();
    }
  }

  /**
   * The data of a server-sent event stream, until it ends; a POST if there is a `body`. `onOpen`: from now on
   * nothing is missed.
   */
  async *events<T>(path: string, { onOpen, body }: EventsOptions = {}): AsyncGenerator<T> {
    const accept = { accept: 'text/event-stream' };
    const request =
      body === undefined
        ? { method: 'GET', headers: accept }
        : {
            method: 'POST',
            headers: { ...accept, 'content-type': 'application/json' },
            body: Buffer.from(JSON.stringify(body)),
          };
    const answer = await this.#request({ ...request, path });
    onOpen?.();
    const waiting: string[] = [];
    const parser = createParser({
      maxBufferSize: EVENT_LENGTH_MAX,
      onEvent: ({ data }) => void waiting.push(data),
    });
    answer.setEncoding('utf8');
    try {
      for await (const chunk of answer) {
        parser.feed(String(chunk));
        for (const data of waiting.splice(0)) yield JSON.parse(data) as T;
      }
    } catch (error) {
      throw connectionFailure(error, this.url);
    } finally {
      answer.destroy();
    }
  }

  async #request(request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    body?: Uint8Array | Readable;
    timeoutMs?: number;
  }): Promise<IncomingMessage> {
    const { path, headers, ...rest } = request;
    const answer = await sendRequest({
      ...rest,
      url: `${this.url}${path}`,
      headers: { accept: 'application/json', ...headers, 'x-jf-apikey': this.#apiKey },
    });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw failedAnswer(status, await readText(answer, ERROR_BYTES_MAX), this.url);
  }
}

async function readJson<T>(answer: IncomingMessage): Promise<T> {
  const text = await readText(answer);
  if (answer.statusCode === 204 || text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new CliError('The server answered with something other than JSON. Is --url a JellyFaaS server?');
  }
}

async function readText(answer: IncomingMessage, bytesMax = Infinity): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

type ErrorBody = Partial<contract.CompatibleError & contract.Problem>;

function failedAnswer(status: number, text: string, url: string): CliError {
  const body = parseError(text);
  const code = body.errorId ?? body.code ?? `http.${status}`;
  if (status === 401) {
    return new CliError(`${url} does not accept the API key. Run "jellyfaas login --url ${url}".`, { code });
  }
  const faults = (body.errors ?? []).map(({ pointer, message }) => `\n  ${pointer}: ${message}`).join('');
  const message = body.errorMessage ?? body.detail ?? `The server at ${url} answered with status ${status}.`;
  return new CliError(`${message}${faults}`, { code });
}

function parseError(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as ErrorBody) : {};
  } catch {
    return {};
  }
}
