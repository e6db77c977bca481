import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** What servers of other people's databases have in common when tests start them. */
export interface DatabaseServer {
  readonly port: number;
  /** PEM file of the authority that signed the server's certificate, for `127.0.0.1`, `localhost` and `db.example.com`. */
  readonly caFile: string;
  /** Runs statements as the administrator, over the local socket, and gives what they print: a line a row, tabs between. */
  admin(database: string, sql: string): Promise<string>;
  stop(): Promise<void>;
}

/** The three databases of the fixtures; `DATABASES` in order of the sections of the files. */
export const DATABASES = ['shop', 'library', 'fleet'] as const;

const FIXTURES = join(import.meta.dirname, 'fixtures', 'sql');

/** Tables and rows of one of the databases, in the words of a dialect. */
export async function fixtureSql(
  dialect: 'mysql' | 'postgres',
  database: (typeof DATABASES)[number],
): Promise<string> {
  const texts = await Promise.all(
    [`schema-${dialect}.sql`, 'data.sql'].map((name) => readFile(join(FIXTURES, name), 'utf8')),
  );
  return texts.map((text) => sections(text)[database] ?? '').join('\n');
}

function sections(text: string): Record<string, string> {
  const parts = text.split(/^-- (\w+)\n/m).slice(1);
  return Object.fromEntries(parts.flatMap((part, i) => (i % 2 === 0 ? [[part, parts[i + 1] ?? '']] : [])));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const run = promisify(execFile);

/** Runs a program with something to read, and gives what it prints. */
export async function runWith(input: string, program: string, args: readonly string[]): Promise<string> {
  const running = run(program, args, { maxBuffer: 64 << 20 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** A directory that the server's own user may write, where files do not reach the disk if there is such a place. */
export async function directoryFor(user: string): Promise<string> {
  const directory = await mkdtemp('/dev/shm/jf-db-');
  if (process.getuid?.() === 0) {
    const { stdout } = await run('id', ['-u', user]);
    await chown(directory, Number(stdout), Number((await run('id', ['-g', user])).stdout));
  }
  return directory;
}

/** Starts it and waits for the line that says it is ready. */
export async function started(
  program: string,
  args: readonly string[],
  ready: RegExp,
): Promise<ChildProcess> {
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      said.push(line);
      if (ready.test(line)) resolve();
    });
    server.once('exit', () => reject(new Error(`${program} ended:\n${said.join('\n')}`)));
    server.once('error', reject);
  });
  return server;
}

export async function stopped(
  server: ChildProcess,
  signal: NodeJS.Signals,
  directory: string,
): Promise<void> {
  const exited = new Promise((resolve) => server.once('exit', resolve));
  if (server.exitCode === null && server.signalCode === null) {
    server.kill(signal);
    await exited;
  }
  await rm(directory, { recursive: true, force: true });
}

/** An authority, and a certificate of a server that it signed; named `ca.pem`, `cert.pem`, `key.pem`. */
export async function writeCertificates(directory: string): Promise<void> {
  const at = (name: string): string => join(directory, name);
  const request = [
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-x509',
    '-days',
    '2',
  ];
  await run('openssl', [
    ...request,
    '-subj',
    '/CN=Test authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  ]);
  await run('openssl', [
    ...request,
    '-subj',
    '/CN=Test database',
    '-keyout',
    at('key.pem'),
    '-out',
    at('cert.pem'),
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-addext',
    'basicConstraints=critical,CA:FALSE',
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:db.example.com',
  ]);
}

/** In CI nothing is left out; elsewhere, tests of a server that is not installed are. */
export function missing(program: string): undefined {
  if (process.env['CI'] !== undefined) throw new Error(`${program} is not installed`);
  process.stderr.write(`skipped: ${program} is not installed\n`);
  return undefined;
}
