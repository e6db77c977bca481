import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstEvent } from './first-event.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface PlatformOptions {
  /** Keep or reuse a data directory; without it a new one is made and removed at the end. */
  readonly dataDir?: string;
  readonly env?: Record<string, string>;
  /** Another checkout to run, for mutants. */
  readonly checkout?: string;
  /** Dependency layers of another data directory, taken over so that nothing is downloaded again. */
  readonly layersOf?: string;
}

export interface Platform {
  readonly url: string;
  /** The owner's key. */
  readonly apiKey: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Everything that the server wrote to its standard output and error so far. */
  output(): string;
  /** SIGTERM, drained; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: what a power cut of the process is. The data directory stays. */
  crash(): Promise<void>;
  remove(): void;
}

const BOOTSTRAP_KEY = 'sk_0wnerKeyOfTheTestPlatf0rm01';

/** Starts the real platform on a free port and waits until it is ready. */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'jellyfaas-test-'));
  if (options.layersOf !== undefined) takeLayers(join(options.layersOf, 'layers'), join(dataDir, 'layers'));
  const server = spawn(process.execPath, [join(options.checkout ?? root, 'server', 'main.ts')], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      JELLYFAAS_PORT: '0',
      JELLYFAAS_DATA_DIR: dataDir,
      JELLYFAAS_BOOTSTRAP_API_KEY: BOOTSTRAP_KEY,
      // Suites deploy what they need; preparing every runtime would take the cores from them.
      JELLYFAAS_PREPARE_RUNTIMES: 'false',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(server);
  const url = await firstUrl(server, output);
  await untilReady(url);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      server.kill(signal);
      await exited;
    }
    return server.exitCode;
  };
  return {
    url,
    apiKey: options.env?.['JELLYFAAS_BOOTSTRAP_API_KEY'] ?? BOOTSTRAP_KEY,
    dataDir,
    pid: server.pid ?? -1,
    output,
    stop: () => end('SIGTERM'),
    crash: async () => void (await end('SIGKILL')),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

/**
 * Copies the layers that belong to no account, which another platform finds. The one that has them may be building:
 * what the index names is whole, and nothing else is looked at.
 */
function takeLayers(from: string, to: string): void {
  const index = join('index', 'base');
  if (!existsSync(join(from, index))) return;
  cpSync(join(from, index), join(to, index), { recursive: true });
  const ids = readdirSync(join(to, index)).map((key) => readFileSync(join(to, index, key), 'utf8'));
  for (const id of new Set(ids)) {
    if (existsSync(join(to, id))) continue;
    cpSync(join(from, id), join(to, id), { recursive: true, verbatimSymlinks: true });
  }
}

function collect(server: ChildProcess): () => string {
  let text = '';
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  return () => text;
}

/** The server prints its address before it answers; a server that ends first failed to start. */
async function firstUrl(server: ChildProcess, output: () => string): Promise<string> {
  for (;;) {
    const found = /http:\/\/(?:127\.0\.0\.1|localhost):\d+/.exec(output());
    if (found !== null) return found[0];
    if (server.exitCode !== null) throw new Error(`the platform ended at start:\n${output()}`);
    await firstEvent([server.stdout ?? server, 'data'], [server.stderr ?? server, 'data'], [server, 'exit']);
  }
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('the platform did not become ready');
}
