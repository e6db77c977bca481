import { execFile } from 'node:child_process';
import { randomBytes, scrypt } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import { eraseFile, replaceFile } from './erase-file.ts';
import { syncDirectory } from './sync-directory.ts';

/** Where the one key comes from that opens everything else. */
export type RootKeySource =
  /** 32 raw bytes in a file that only the server's user can read; by default `<dataDir>/keys/root.key`. */
  | { readonly source: 'file'; readonly path: string }
  /** Nothing secret on disk; the salt lies at `saltPath`. */
  | { readonly source: 'passphrase'; readonly secret: Secret; readonly saltPath: string }
  /** A program (no shell) that prints 32 bytes as 64 hex digits or base64: a KMS client, systemd-creds, … */
  | { readonly source: 'command'; readonly argv: readonly string[] };

/** The root key in force. A rotation puts another one in its place, for everybody who holds this. */
export interface RootKey {
  /** Counts rotations; every wrap under the root says which one it needs. */
  generation: number;
  /** 32 bytes. */
  bytes: Secret<Uint8Array>;
}

/** A root key that is to follow the present one. */
export interface NextRootKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** From here on the source gives this key, after a crash too. */
  commit(): Promise<void>;
  /** Which key counts, 32 bytes: a failed `commit` may have happened. */
  inForce(): Uint8Array;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
const PASSPHRASE_LENGTH_MIN = 12;
const COMMAND_TIMEOUT_MS = 15_000;
/** About 0.3 s and 128 MiB, once at start. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };

/**
 * Reads the root key. `mayCreate` is whether the data directory is still empty: with data there, a missing key
 * file or salt is a loss to be told, not something to be made anew. Errors: `keys.root_*`.
 */
export async function loadRootKey(source: RootKeySource, mayCreate: boolean): Promise<RootKey> {
  return { generation: 1, bytes: new Secret(await rootKeyBytes(source, mayCreate)) };
}

/**
 * Another root key from the same source: a new file, a new salt for the passphrase, or what the command prints now, which has
 * to be another key than `present`. Errors: `keys.root_*`.
 */
export async function nextRootKey(source: RootKeySource, present: RootKey): Promise<NextRootKey> {
  let isCommitted = false;
  const committed = (): void => void (isCommitted = true);
  const next = (bytes: Uint8Array, commit: NextRootKey['commit']): NextRootKey => ({
    bytes,
    commit,
    inForce: () => (isCommitted ? bytes : present.bytes.reveal()),
  });
  if (source.source === 'command') {
    const bytes = await fromCommand(source.argv);
    if (Buffer.from(bytes).equals(present.bytes.reveal())) {
      throw rootKeyError(
        'root_unchanged',
        'The root key command still prints the present key. Let it print the next one, then rotate again.',
      );
    }
    return next(bytes, async () => committed());
  }
  const path = source.source === 'file' ? source.path : source.saltPath;
  await abandonNextRootKey(source);
  const fresh = randomBytes(source.source === 'file' ? KEY_BYTES : SALT_BYTES);
  await createPrivateFile(nextPath(path), fresh);
  const bytes = source.source === 'file' ? fresh : await fromPassphrase(source.secret, fresh);
  return next(bytes, () => replaceFile(nextPath(path), path, committed));
}

/** Removes a next root key that was never committed, half written ones too. */
export async function abandonNextRootKey(source: RootKeySource): Promise<void> {
  if (source.source === 'command') return;
  const next = nextPath(source.source === 'file' ? source.path : source.saltPath);
  const names = await readdir(dirname(next)).catch(() => []);
  for (const name of names) if (name.startsWith(basename(next))) await eraseFile(join(dirname(next), name));
}

const nextPath = (path: string): string => `${path}.next`;

async function rootKeyBytes(source: RootKeySource, mayCreate: boolean): Promise<Uint8Array> {
  switch (source.source) {
    case 'file':
      return await privateFile(source.path, KEY_BYTES, mayCreate);
    case 'passphrase':
      return await fromPassphrase(source.secret, await privateFile(source.saltPath, SALT_BYTES, mayCreate));
    case 'command':
      return await fromCommand(source.argv);
  }
}

/** Reads `length` bytes from a file that is nobody else's; creates it with random ones if that is allowed. */
async function privateFile(path: string, length: number, mayCreate: boolean): Promise<Uint8Array> {
  const existing = await readPrivateFile(path, length);
  if (existing !== undefined) return existing;
  if (!mayCreate) {
    throw rootKeyError(
      'root_key_missing',
      `The file ${path} is missing, and the data cannot be read without it. Restore it from where you keep it.`,
    );
  }
  await createPrivateFile(path, randomBytes(length));
  const created = await readPrivateFile(path, length);
  if (created === undefined) throw rootKeyError('root_key_missing', `The file ${path} vanished again.`);
  return created;
}

async function readPrivateFile(path: string, length: number): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT') return undefined;
    const why = code === 'ELOOP' ? 'is a symbolic link; put the file itself there' : 'cannot be opened';
    throw rootKeyError('root_key_unsafe', `The key file ${path} ${why}.`);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw rootKeyError('root_key_unsafe', `The key file ${path} is not a regular file.`);
    if ((stat.mode & 0o077) !== 0) {
      throw rootKeyError(
        'root_key_unsafe',
        `Others than its owner can use the key file ${path}. Run: chmod 600 ${path}`,
      );
    }
    if (stat.uid !== process.geteuid?.()) {
      throw rootKeyError(
        'root_key_unsafe',
        `The key file ${path} belongs to another user than the server's.`,
      );
    }
    if (stat.size !== length) {
      throw rootKeyError('root_key_malformed', `The key file ${path} must hold exactly ${length} bytes.`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    if (bytesRead !== length) throw rootKeyError('root_key_malformed', `The key file ${path} is truncated.`);
    return buffer;
  } finally {
    await file.close();
  }
}

/** Appears whole or not at all, and never replaces a file that is already there. */
async function createPrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } finally {
    await unlink(temporary);
  }
  await syncDirectory(dirname(path));
}

async function fromPassphrase(secret: Secret, salt: Uint8Array): Promise<Uint8Array> {
  const passphrase = secret.reveal().normalize('NFC');
  if (passphrase.length < PASSPHRASE_LENGTH_MIN) {
    throw rootKeyError(
      'root_passphrase_short',
      `The passphrase must have at least ${PASSPHRASE_LENGTH_MIN} characters.`,
    );
  }
  return await new Promise((resolve, reject) => {
    scrypt(passphrase, salt, KEY_BYTES, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

async function fromCommand([program, ...args]: readonly string[]): Promise<Uint8Array> {
  if (program === undefined) throw rootKeyError('root_command_failed', 'The root key command is empty.');
  let output: string;
  try {
    const limits = { timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 1024 } as const;
    output = (await promisify(execFile)(program, args, { ...limits, shell: false })).stdout.trim();
  } catch {
    // The cause would carry what the command printed, perhaps the key.
    throw rootKeyError(
      'root_command_failed',
      `The root key command ${program} failed or took longer than ${COMMAND_TIMEOUT_MS / 1000} s.`,
    );
  }
  if (/^[0-9a-f]{64}$/i.test(output)) return Buffer.from(output, 'hex');
  if (/^[0-9A-Za-z+/]{43}=$/.test(output)) return Buffer.from(output, 'base64');
  throw rootKeyError(
    'root_command_failed',
    `The root key command ${program} must print 32 bytes as 64 hex digits or as base64, and nothing else.`,
  );
}

function rootKeyError(what: string, message: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: `keys.${what}`,
    owner: 'platform',
    message,
  });
}
