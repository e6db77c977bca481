import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  NotFound,
  NoSuchKey,
  S3Client,
  S3ServiceException,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Place } from './backup-settings.ts';
import { backupErrors } from './errors.ts';
import { type BackupTarget, checkPath } from './target.ts';

/** What is larger is sent in parts of this size, two of which are in memory. The least that stores allow is 5 MiB. */
const PART_BYTES = 8 << 20;
const PARTS_AT_ONCE = 2;
const ATTEMPTS = 3;

/** A bucket of an S3-compatible store. Where it keeps versions, they are ciphertext whose keys may be gone. */
export function createS3Target({ bucket, prefix, ...place }: S3Place): BackupTarget {
  const client = createClient(place);
  const keyOf = (path: string): string => `${prefix}${checkPath(path)}`;
  const asked = { Bucket: bucket };

  async function* keysBelow(prefixed: string): AsyncGenerator<string> {
    for await (const page of paginateListObjectsV2({ client }, { ...asked, Prefix: prefixed })) {
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
    }
  }

  return {
    list: (folder) =>
      translating(async () => {
        const Prefix = folder === '.' ? prefix : `${keyOf(folder)}/`;
        const names: string[] = [];
        for await (const page of paginateListObjectsV2({ client }, { ...asked, Prefix, Delimiter: '/' })) {
          for (const { Key = '' } of page.Contents ?? []) names.push(Key.slice(Prefix.length));
          for (const { Prefix: below = '' } of page.CommonPrefixes ?? [])
            names.push(below.slice(Prefix.length, -1));
        }
        return names.toSorted();
      }),
    put: (path, bytes) =>
      translating(async () => {
        const upload = new Upload({
          client,
          params: { ...asked, Key: keyOf(path), Body: Readable.from(bytes) },
          partSize: PART_BYTES,
          queueSize: PARTS_AT_ONCE,
        });
        await upload.done();
      }),
    has: (path) =>
      translating(async () => {
        try {
          await client.send(new HeadObjectCommand({ ...asked, Key: keyOf(path) }));
          return true;
        } catch (thrown) {
          if (thrown instanceof NotFound) return false;
          throw thrown;
        }
      }),
    async *get(path) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ ...asked, Key: keyOf(path) }));
        yield* Body as Readable;
      } catch (thrown) {
        if (thrown instanceof NoSuchKey) throw backupErrors.damaged(`${path} is missing`);
        throw translated(thrown);
      }
    },
    remove: (path) =>
      translating(async () => {
        await client.send(new DeleteObjectCommand({ ...asked, Key: keyOf(path) }));
        for await (const Key of keysBelow(`${keyOf(path)}/`)) {
          await client.send(new DeleteObjectCommand({ ...asked, Key }));
        }
      }),
    sweep: () =>
      translating(async () => {
        // Of more than a thousand the rest is for the next time.
        const { Uploads = [] } = await client.send(
          new ListMultipartUploadsCommand({ ...asked, Prefix: prefix }),
        );
        for (const { Key, UploadId } of Uploads)
          await client.send(new AbortMultipartUploadCommand({ ...asked, Key, UploadId }));
      }),
  };
}

/** Everything that it may use is given: no file of credentials, variable or metadata service is asked. */
function createClient({
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
}: Omit<S3Place, 'bucket' | 'prefix'>): S3Client {
  return new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    maxAttempts: ATTEMPTS,
    // Newer checksums are unknown to many compatible stores; manifests carry our own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

async function translating<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw translated(thrown);
  }
}

const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'EntityTooLarge']);

/** Faults of the store get a remedy, by their code alone; what the source of the bytes threw stays as it is. */
function translated(thrown: unknown): unknown {
  if (thrown instanceof S3ServiceException) {
    const { name } = thrown;
    return FULL.has(name) ? backupErrors.targetFull() : backupErrors.targetUnusable(name);
  }
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? backupErrors.targetUnusable(code) : thrown;
}
