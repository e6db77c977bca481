import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { onLoopback } from './loopback.ts';

/**
 * An S3-compatible store on loopback, as far as backups use one: it checks each request's signature (version 4) with the
 * secret that it was given, and keeps objects in memory.
 */
export interface S3Server {
  readonly url: string;
  /** By bucket and key: `bucket/prefix/name`. */
  readonly objects: Map<string, Buffer>;
  /** Uploads in parts that were neither completed nor aborted. */
  readonly openUploads: Map<string, Map<number, Buffer>>;
  /** Answers what it returns instead: a status and an error code. Undefined: as ever. */
  fault: ((method: string, key: string) => readonly [status: number, code: string] | undefined) | undefined;
  close(): Promise<void>;
}

interface Asked {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export async function startS3Server(secret: string): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const openUploads = new Map<string, Map<number, Buffer>>();
  let lastUpload = 0;

  function list({ key: bucket, query }: Asked): string {
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter');
    const below = [...objects.keys()]
      .filter((name) => name.startsWith(`${bucket}/${prefix}`))
      .map((name) => name.slice(bucket.length + 1))
      .toSorted();
    const folders = new Set<string>();
    const contents = below.filter((name) => {
      const cut = delimiter === null ? -1 : name.indexOf(delimiter, prefix.length);
      if (cut !== -1) folders.add(name.slice(0, cut + 1));
      return cut === -1;
    });
    // Two to a page, so that paging is used.
    const all = [
      ...contents.map((name) => ['Contents', 'Key', name]),
      ...[...folders].map((f) => ['CommonPrefixes', 'Prefix', f]),
    ];
    const from = Number(query.get('continuation-token') ?? 0);
    const page = all
      .slice(from, from + 2)
      .map(([outer, inner, name]) => `<${outer}><${inner}>${name}</${inner}></${outer}>`);
    const more = from + 2 < all.length;
    const next = more ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : '';
    return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${page.join('')}${next}</ListBucketResult>`;
  }

  function inParts({ method, key, query, body }: Asked): string | undefined {
    const id = query.get('uploadId');
    if (method === 'POST' && query.has('uploads')) {
      openUploads.set(`${++lastUpload} ${key}`, new Map());
      return `<InitiateMultipartUploadResult><UploadId>${lastUpload}</UploadId></InitiateMultipartUploadResult>`;
    }
    if (method === 'GET' && query.has('uploads')) {
      const uploads = [...openUploads.keys()].map((name) => {
        const [number = '', path = ''] = name.split(' ');
        return `<Upload><Key>${path.slice(path.indexOf('/') + 1)}</Key><UploadId>${number}</UploadId></Upload>`;
      });
      return `<ListMultipartUploadsResult>${uploads.join('')}</ListMultipartUploadsResult>`;
    }
    if (id === null) return undefined;
    const parts = openUploads.get(`${id} ${key}`);
    if (parts === undefined) throw new Error('NoSuchUpload');
    if (method === 'PUT') parts.set(Number(query.get('partNumber')), body);
    if (method === 'DELETE') openUploads.delete(`${id} ${key}`);
    if (method === 'POST') {
      const inOrder = [...parts].toSorted(([a], [b]) => a - b).map(([, bytes]) => bytes);
      objects.set(key, Buffer.concat(inOrder));
      openUploads.delete(`${id} ${key}`);
    }
    return method === 'POST'
      ? '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'
      : '';
  }

  function answer(asked: Asked, response: ServerResponse): void {
    const { method, key, query, body } = asked;
    const fault = server.fault?.(method, key);
    if (fault !== undefined) return refuse(response, ...fault);
    const ofParts = inParts(asked);
    if (ofParts !== undefined) return void response.setHeader('etag', '"e"').end(ofParts);
    if (method === 'GET' && query.get('list-type') === '2') return void response.end(list(asked));
    if (method === 'PUT') {
      objects.set(key, body);
      return void response.setHeader('etag', '"e"').end();
    }
    if (method === 'DELETE') {
      objects.delete(key);
      return void response.writeHead(204).end();
    }
    const found = objects.get(key);
    if (found === undefined) return refuse(response, 404, 'NoSuchKey');
    response.setHeader('content-length', found.length).end(method === 'HEAD' ? undefined : found);
  }

  const http = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://store');
      const body = await buffer(request);
      if (!isSigned(request, body, secret)) return refuse(response, 403, 'SignatureDoesNotMatch');
      const key = decodeURIComponent(pathname).replace(/^\/|\/$/g, '');
      answer({ method: request.method ?? '', key, query: searchParams, body }, response);
    })().catch(() => response.writeHead(500).end());
  });
  const { url, close } = await onLoopback(http);
  const server: S3Server = {
    url,
    objects,
    openUploads,
    fault: undefined,
    close,
  };
  return server;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<Error><Code>${code}</Code><Message>refused</Message></Error>`);
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** AWS Signature Version 4, computed again from what arrived. */
function isSigned({ method, url = '', headers }: IncomingMessage, body: Buffer, secret: string): boolean {
  const form = /Credential=[^/]+\/(?<scope>[^,]+), ?SignedHeaders=(?<names>[^,]+), ?Signature=(?<given>\w+)/;
  const { scope = '', names = '', given } = form.exec(headers.authorization ?? '')?.groups ?? {};
  const payload = String(headers['x-amz-content-sha256']);
  if (payload !== sha256(body) && payload !== 'UNSIGNED-PAYLOAD') return false;
  const { pathname, searchParams } = new URL(url, 'http://store');
  const query = [...searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, pathname, query, lines.join(''), names, payload].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secret}`);
  return given === hmac(key, text).toString('hex');
}
