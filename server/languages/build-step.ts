import { existsSync } from 'node:fs';
import type { Jail, JailBind, JailExit, JailedProcess, JailLimits, Scratch } from '../sandbox/jail.ts';
import { guestFile } from './guest-files.ts';
import { BuildFailure } from './language.ts';
import { createOutputLines, type OutputLines } from './output-lines.ts';

/** One run of one tool in the jail, with the build's scratch at /work. */
export interface BuildStep {
  /** What the step does, in the words of the uploader: `installing packages`. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly binds: readonly JailBind[];
  readonly scratch: Scratch;
  /** Default `/work`. */
  readonly cwd?: string;
  /** The only hosts that the step reaches, over HTTP(S) through a proxy; absent means no network at all. */
  readonly hosts?: readonly string[];
  /** Default 1024; RAM files of the scratch count too. */
  readonly memoryMib?: number;
  /** Default five minutes. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/**
 * Runs the step to its end. Rejects with `BuildFailure` (the tool's own last words) when the tool fails, runs out
 * of memory or out of time, and with the signal's reason when the build was called off.
 */
export type RunBuildStep = (step: BuildStep) => Promise<void>;

/** Install scripts want a shell, make, a compiler; workers see none of it. */
const PROGRAMS: readonly JailBind[] = [
  { source: '/usr/bin', target: '/usr/bin' },
  { source: '/usr/bin', target: '/bin' },
  { source: '/usr/include', target: '/usr/include' },
].filter(({ source }) => existsSync(source));

export const PROXY_URL = 'http://127.0.0.1:3128';

const TIMEOUT_MS = 300_000;
const MEMORY_MIB = 1024;
const NODE = '/opt/jellyfaas/build/node';
const FORWARDER = '/opt/jellyfaas/egress-forwarder.cjs';
const AGENT = '/opt/jellyfaas/build/agent.cjs';

/** The operator's certificate authorities, where Linux distributions keep them. */
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const CA_BUNDLE_SOURCES = [CA_BUNDLE, '/etc/pki/tls/certs/ca-bundle.crt'];

export function createBuildStepRunner(jail: Jail): RunBuildStep {
  function start(step: BuildStep): Promise<JailedProcess> {
    const networked = step.hosts === undefined ? undefined : networkPart();
    return jail.start({
      argv: [...(networked?.argv ?? []), ...step.argv],
      env: { ...networked?.env, ...step.env },
      binds: [...PROGRAMS, ...(networked?.binds ?? []), ...step.binds],
      limits: buildLimits(step.memoryMib ?? MEMORY_MIB),
      scratch: step.scratch,
      cwd: step.cwd ?? '/work',
      ...(step.hosts === undefined ? {} : { egress: { kind: 'trusted', hosts: step.hosts } }),
    });
  }

  return async (step) => {
    step.signal.throwIfAborted();
    const output = createOutputLines(step.onProgress);
    const tool = await start(step);
    const timeoutMs = step.timeoutMs ?? TIMEOUT_MS;
    const deadline = AbortSignal.timeout(timeoutMs);
    const stop = AbortSignal.any([step.signal, deadline]);
    const kill = (): void => void tool.kill();
    if (stop.aborted) kill();
    stop.addEventListener('abort', kill, { once: true });
    try {
      const [exit] = await Promise.all([tool.exited, drain(tool, output)]);
      step.signal.throwIfAborted();
      if (exit.reason === 'exit' && exit.code === 0) return;
      throw new BuildFailure(failureMessage(step, exit, deadline.aborted, output.tail()));
    } finally {
      stop.removeEventListener('abort', kill);
    }
  };
}

/** The agent and what it needs: a forwarder from a local port to the egress socket, then the tool. */
function networkPart() {
  const bundle = CA_BUNDLE_SOURCES.find((path) => existsSync(path));
  const binds: JailBind[] = [
    { source: process.execPath, target: NODE },
    { source: guestFile('build/agent.cjs'), target: AGENT },
    { source: guestFile('egress-forwarder.cjs'), target: FORWARDER },
  ];
  if (bundle !== undefined) binds.push({ source: bundle, target: CA_BUNDLE });
  return {
    argv: [NODE, AGENT],
    binds,
    env: { ...proxyEnv(), ...(bundle === undefined ? {} : caEnv()) },
  };
}

function proxyEnv(): Record<string, string> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  return Object.fromEntries(names.map((name) => [name, PROXY_URL]));
}

/** The names under which Node, Python, pip, curl, git and Go look for certificate authorities. */
function caEnv(): Record<string, string> {
  const names = ['NODE_EXTRA_CA_CERTS', 'PIP_CERT', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'];
  return Object.fromEntries([...names, 'GIT_SSL_CAINFO'].map((name) => [name, CA_BUNDLE]));
}

function buildLimits(memoryMib: number): JailLimits {
  return { memoryMib, tasks: 512, cpuPercent: 200, tmpMib: 256 };
}

async function drain(tool: JailedProcess, output: OutputLines): Promise<void> {
  tool.control.resume();
  await Promise.all(
    [tool.stdout, tool.stderr].map(async (readable) => {
      const sink = output.stream();
      for await (const chunk of readable) sink.push(chunk as Buffer);
      sink.end();
    }),
  );
}

function failureMessage(step: BuildStep, exit: JailExit, timedOut: boolean, tail: string): string {
  const memoryMib = step.memoryMib ?? MEMORY_MIB;
  const timeoutMs = step.timeoutMs ?? TIMEOUT_MS;
  const what = timedOut
    ? `took longer than ${Math.round(timeoutMs / 1000)} s and was stopped`
    : exit.reason === 'oom'
      ? `needed more than ${memoryMib} MiB of memory and was stopped`
      : `failed${exit.code === null ? '' : ` with code ${exit.code}`}`;
  const summary = `${step.name} ${what}`;
  return tail === '' ? summary : `${summary}:\n${tail}`;
}
