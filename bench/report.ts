import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  /** Without a goal the line is for information. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
  /** What helps to read the figure. */
  readonly detail?: string;
}

function isMet({ measured, goal }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'atMost' in goal ? measured <= goal.atMost : measured >= goal.atLeast;
}

function cells(row: Row): string[] {
  const { what, unit, measured, goal, detail = '' } = row;
  return [what, goalText(row), `${short(measured)} ${unit}`, verdict(row), detail].map((cell, column) =>
    column === 1 && goal === undefined ? '' : cell,
  );
}

function goalText({ goal, unit }: Row): string {
  if (goal === undefined) return '';
  return 'atMost' in goal ? `≤ ${goal.atMost} ${unit}` : `≥ ${goal.atLeast} ${unit}`;
}

function verdict(row: Row): string {
  const met = isMet(row);
  if (met === undefined || row.goal === undefined) return '';
  if (met) return 'yes';
  const limit = 'atMost' in row.goal ? row.goal.atMost : row.goal.atLeast;
  return `no, by ${short((Math.abs(row.measured - limit) / limit) * 100)} %`;
}

/** Three significant digits. */
function short(value: number): string {
  return value === 0 || Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

const HEAD = ['What', 'Goal', 'Measured', 'Met', 'Detail'];

/** The table as aligned text, which is Markdown too. */
export function table(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [text(HEAD), rule, ...rows.map((row) => text(cells(row)))].join('\n');
}

const NOTES = '## Notes';

const METHOD = `One run of \`npm run bench\`: the real platform with its sandbox and stores on the machine below, load from a
process of its own over keep-alive connections, closed loop. Absolute figures are this machine's; what is
compared is compared in turns (A B A B) within the run.

- **Gateway**: one Node 24 instance on Google's Functions Framework, called over its own Unix socket and through
  the platform (token check, routing, limits, call record), in alternating rounds. Added p50 is the median of
  the differences of paired rounds, added p99 the difference of the pooled p99. CPU is the server's user and
  system time over its calls, all threads.
- **Sealed call, question and search**: each through the SDK, plain and sealed in turns, one after the other; what both ends spend
  on sealing and opening is part of it.
- **Cold start**: first calls of deployments that were scaled to zero, from the request to the last byte of the
  answer. "From the pool": a worker of the runtime stands booted, nothing of the function is loaded. "Without
  pool": nothing is booted.
- **Deploy**: from the upload of the zip to the first answer with status 200, sandbox, build and smoke test
  included. "Dependencies cached": one package beyond the framework, installed by an earlier deploy of the
  account. "First ever": the download and preparation of the runtime's base is part of it.
- **Validate**: API key to JFWT, requests per second of the server's CPU time.
- **Query**: questions in words to a scripted model in a process of its own, which answers at once. A step is a
  request to the model and what follows from it; a query of two steps calls a warm function and answers. Taken off
  are the same call made directly and the model's time from a request's arrival to the end of its answer. "First
  delta": from the model's clock when it writes to the client's when it reads. Memory is the peak of VmRSS while
  the streams run, less what it was before.
- **Vectors**: the vector engine's process over its socket, encrypted files on the same disk; the vectors are synthetic
  and lie in clusters like those of texts. Recall is against a plain loop over all of them. Cold: of two databases one
  may be open, so that each search closes one and opens the other.
- **Memory**: VmRSS of the server, ten seconds after it is ready, no instance running; not the first start of a
  checkout, which compiles the sources.

Not measured here: from an empty machine to the first call. That is mostly the download of packages.`;

/** Writes the report, and keeps what people wrote under "Notes". */
export function writeReport(path: string, rows: readonly Row[]): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const notesAt = before.indexOf(`\n${NOTES}\n`);
  const notes = notesAt === -1 ? `${NOTES}\n` : before.slice(notesAt + 1);
  const parts = [
    '# Benchmarks',
    'Written by `npm run bench`, but for the notes at the end, which are kept.',
    `## Method\n\n${METHOD}`,
    `## Machine\n\n${machine()}`,
    `## Figures\n\n${table(rows)}`,
    `Goals met: ${rows.filter((row) => isMet(row) === true).length} of ${rows.filter(({ goal }) => goal !== undefined).length}.`,
    notes,
  ];
  writeFileSync(path, `${parts.join('\n\n').trimEnd()}\n`);
}

const loadAtStart = loadavg()[0] ?? 0;

function machine(): string {
  const { version } = JSON.parse(
    readFileSync(new URL('../server/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const bubblewrap = execFileSync('bwrap', ['--version'], { encoding: 'utf8' }).trim();
  return [
    `- ${new Date().toISOString().slice(0, 10)}, JellyFaaS ${version}, Node ${process.versions.node}, ${bubblewrap}`,
    `- ${availableParallelism()} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `- load average at the start ${loadAtStart.toFixed(2)}`,
  ].join('\n');
}
