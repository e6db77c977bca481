import { setTimeout as pause } from 'node:timers/promises';
import type { Api, BuildEvent, DeployResult, FunctionDetails, UploadStatus } from './api.ts';
import { CliError } from './failure.ts';
import type { Terminal } from './terminal.ts';

const POLL_PAUSE_MS = 1_000;
const SPINNER_MS = 100;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

const STEPS: Readonly<Record<UploadStatus['status'], string>> = {
  QUEUED: 'waiting for its turn',
  BUILDING: 'building',
  STARTING: 'starting',
  DEPLOYED: 'deployed',
  FAILED: 'failed',
};

export interface DeployRequest {
  readonly fileName: string;
  readonly zip: Uint8Array;
  readonly wait: boolean;
  /** Print no progress. */
  readonly quiet: boolean;
}

/** Uploads a zip and, when asked to wait, shows the builds of all its sizes to their end; a bad build throws. */
export async function deploy(api: Api, terminal: Terminal, request: DeployRequest): Promise<DeployResult> {
  const result = await api.upload(request.fileName, request.zip);
  const version = result.deployingVersion ?? 1;
  if (!request.quiet) {
    terminal.note(`Deploying ${result.function_id} version ${version} on ${result.runtimeDetail}.`);
  }
  if (request.wait) {
    for (const { opid } of result.deployedDetails) {
      const progress = request.quiet ? undefined : new Progress(terminal);
      try {
        await followBuild(api, { buildId: opid, shortname: result.function_id }, progress);
      } finally {
        progress?.end();
      }
    }
  }
  return result;
}

async function followBuild(
  api: Api,
  build: { buildId: string; shortname: string },
  progress: Progress | undefined,
): Promise<void> {
  for (;;) {
    for await (const event of api.events<BuildEvent>(`/api/v1/builds/${build.buildId}/events`)) {
      if (event.type === 'failed') throw badBuild(build.buildId, event.errorDetails);
      if (event.type === 'line') progress?.line(event.text);
      else progress?.step(event.status);
    }
    // The stream may end early, for example when the server restarts: the status is the truth.
    const { status } = await api.get<UploadStatus>(
      `/core-service/v1/upload/${build.buildId}/${build.shortname}`,
    );
    if (status === 'DEPLOYED') return;
    if (status === 'FAILED') throw badBuild(build.buildId, 'Its message is in "jellyfaas builds list".');
    await pause(POLL_PAUSE_MS);
  }
}

function badBuild(buildId: string, details: string): CliError {
  return new CliError(
    `The build failed:\n${details.trimEnd()}\n\nCorrect it and deploy again; "jellyfaas builds clean -b ${buildId}" forgets it.`,
    { code: 'cli.bad_build' },
  );
}

/** Live lines, and on a terminal a spinner with the step and the seconds so far. */
class Progress {
  readonly #terminal: Terminal;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #step: UploadStatus['status'] = 'QUEUED';
  #turn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    if (terminal.interactive) this.#timer = setInterval(() => this.#spin(), SPINNER_MS);
  }

  line(text: string): void {
    this.#terminal.note(`  ${text}`);
  }

  step(status: UploadStatus['status']): void {
    if (status !== this.#step && !this.#terminal.interactive) this.#terminal.note(`… ${STEPS[status]}`);
    this.#step = status;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#terminal.status('');
  }

  #spin(): void {
    const seconds = Math.floor((performance.now() - this.#started) / 1000);
    this.#terminal.status(`${SPINNER[this.#turn++ % SPINNER.length]} ${STEPS[this.#step]} … ${seconds} s`);
  }
}

type Requirements = FunctionDetails['versions'][number]['requirements'];

/** A command line that calls the function with its own example data. */
export function invokeExample({ functionId, versions }: FunctionDetails): string {
  const requirements = versions.find(({ latest }) => latest)?.requirements;
  const words = ['jellyfaas', 'invoke', functionId];
  for (const { name, exampleData, required } of requirements?.queryParams ?? []) {
    const value = exampleData.startsWith(`${name}=`) ? exampleData.slice(name.length + 1) : exampleData;
    if (required || value !== '') words.push('--query', quoteWord(`${name}=${value}`));
  }
  return [...words, ...(requirements === undefined ? [] : bodyExample(requirements))].join(' ');
}

function bodyExample({ inputType, inputJsonExample = '', inputFileSchema }: Requirements): string[] {
  if (inputType === 'JSON') {
    return ['--json', quoteWord(Buffer.from(inputJsonExample, 'base64').toString('utf8') || '{}')];
  }
  return inputType === 'FILE'
    ? ['--file', quoteWord(`input.${inputFileSchema?.extensions[0] ?? 'bin'}`)]
    : [];
}

function quoteWord(word: string): string {
  return /^[\w=.,:/@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
