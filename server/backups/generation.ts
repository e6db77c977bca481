import { createHash } from 'node:crypto';
import type { Receipts } from '../keys/receipts.ts';
import { openReceipt } from '../keys/receipts.ts';
import { backupErrors } from './errors.ts';
import type { FileEntry } from './still-copy.ts';
import type { BackupTarget } from './target.ts';

/**
 * A generation in the target: `generation-<n>/files.json`, the list of its files, and `generation-<n>/manifest.jws`, which is
 * put last and signs that list. Without it there is no generation.
 */
export interface Manifest {
  readonly generation: number;
  /** Epoch milliseconds: all that was acknowledged before is in it. */
  readonly at: number;
  /** Hex SHA-256 of files.json. */
  readonly list: string;
  /** Head of the log of accesses at that time, hex, so that the log cannot be written anew. */
  readonly log: string;
}

export interface Generation extends Manifest {
  readonly files: readonly FileEntry[];
  /** SHA-256 of the manifest as it lies there. */
  readonly hash: Uint8Array;
}

const FILE_PATH = /^[0-9A-Za-z_-]+(\/[0-9A-Za-z_.-]+)+$/;
const LIST_BYTES_MAX = 256 << 20;
const MANIFEST_BYTES_MAX = 64 << 10;

export const folderOf = (generation: number): string => `generation-${generation}`;

export async function putGeneration(
  target: BackupTarget,
  receipts: Pick<Receipts, 'sign'>,
  { files, ...claims }: Omit<Manifest, 'list'> & { readonly files: readonly FileEntry[] },
): Promise<Uint8Array> {
  const list = Buffer.from(JSON.stringify({ files }), 'utf8');
  await target.put(`${folderOf(claims.generation)}/files.json`, once(list));
  const manifest = await receipts.sign({
    event: 'backup.generation',
    ...claims,
    list: sha256(list).toString('hex'),
  });
  await target.put(`${folderOf(claims.generation)}/manifest.jws`, once(Buffer.from(manifest, 'utf8')));
  return sha256(Buffer.from(manifest, 'utf8'));
}

/** Throws `backups.damaged` for whatever is not signed by this installation as this generation. */
export async function readGeneration(
  target: BackupTarget,
  publicKey: Receipts['publicKey'],
  generation: number,
): Promise<Generation> {
  const folder = folderOf(generation);
  const signed = await read(target, `${folder}/manifest.jws`, MANIFEST_BYTES_MAX);
  const claims = await openReceipt(signed.toString('utf8'), publicKey);
  if (claims?.['event'] !== 'backup.generation') throw backupErrors.damaged('its manifest is not signed');
  const { at, list, log } = claims;
  if (claims['generation'] !== generation || typeof at !== 'number' || typeof list !== 'string') {
    throw backupErrors.damaged('its manifest is that of another');
  }
  const content = await read(target, `${folder}/files.json`, LIST_BYTES_MAX);
  if (sha256(content).toString('hex') !== list) throw backupErrors.damaged('its list is not the signed one');
  const { files } = JSON.parse(content.toString('utf8')) as { files: FileEntry[] };
  if (!files.every(isEntry)) throw backupErrors.damaged('its list names impossible places');
  return { generation, at, list, log: String(log), files, hash: sha256(signed) };
}

/** Numbers of what lies in the target, complete or not, oldest first. */
export async function generationsIn(target: BackupTarget): Promise<number[]> {
  const names = await target.list('.');
  return names
    .map((name) => Number(/^generation-([1-9]\d{0,8})$/.exec(name)?.[1]))
    .filter((number) => !Number.isNaN(number))
    .toSorted((a, b) => a - b);
}

function isEntry({ path, size, sha256: hash }: FileEntry): boolean {
  const isPlace = FILE_PATH.test(path) && !path.split('/').some((step) => /^\.+$/.test(step));
  return isPlace && Number.isSafeInteger(size) && size >= 0 && /^[0-9a-f]{64}$/.test(hash);
}

async function read(target: BackupTarget, path: string, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of target.get(path)) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw backupErrors.damaged(`${path} is too long`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
