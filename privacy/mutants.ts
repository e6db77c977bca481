import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A leak as somebody could write it one day: the harness must find it, or it proves nothing. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

interface Edit {
  readonly file: string;
  /** Must stand in the file exactly once, so that a mutant never silently mutates nothing. */
  readonly find: string;
  readonly replace: string;
}

const DATA_PLANE = 'server/gateway/data/data-plane.ts';
const ARRIVED = 'const arrivedAt = clock.monotonicMs();';
const ANSWER = '    this.#hasWritten = true;\n    const { res } = this.#edge;';
const IP_CHECK = `check (octet_length(origin_ip) between 2 and 45
        and octet_length(origin_ip) = length(origin_ip) and origin_ip not glob '*[^0-9a-f.:]*')`;

/** Code that the mutants add uses the process alone, so that they need no imports. */
const FS = `process.getBuiltinModule('node:fs')`;
const ZLIB = `process.getBuiltinModule('node:zlib')`;

function onRequest(code: string): Edit {
  return { file: DATA_PLANE, find: ARRIVED, replace: `${ARRIVED}\n    ${code}` };
}

function onAnswer(code: string): Edit {
  return { file: DATA_PLANE, find: ANSWER, replace: `${ANSWER}\n    ${code}` };
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'an access log with the request line',
    edits: [onRequest('process.stderr.write(`${req.method} ${req.url}\\n`);')],
  },
  {
    name: 'a debug log of headers, in base64',
    edits: [onRequest(`process.stdout.write(Buffer.from(JSON.stringify(req.headers)).toString('base64'));`)],
  },
  {
    name: 'answers spooled to a temporary file',
    edits: [onAnswer(`${FS}.appendFileSync('/tmp/spool-' + process.pid, chunk);`)],
  },
  {
    name: 'answers kept in an unlinked open file',
    edits: [
      onAnswer(
        `const fs = ${FS}; const path = '/tmp/gone-' + process.pid + Math.random(); const fd = fs.openSync(path, 'w+'); fs.unlinkSync(path); fs.writeSync(fd, chunk);`,
      ),
    ],
  },
  {
    name: 'a compressed response cache in the data directory',
    edits: [
      onAnswer(
        `${FS}.appendFileSync(process.env['JELLYFAAS_DATA_DIR'] + '/cache.bin', ${ZLIB}.gzipSync(chunk));`,
      ),
    ],
  },
  {
    name: 'the user agent in the process title',
    edits: [
      onRequest(
        `if (req.headers['user-agent'] !== 'node') process.title = String(req.headers['user-agent']);`,
      ),
    ],
  },
  {
    name: 'a metric labelled with the path',
    edits: [
      {
        file: 'server/calls/invoke.ts',
        find: 'metrics.callEnded(result, durationMs);',
        replace: 'metrics.callEnded(this.#call.request.path as CallResult, durationMs);',
      },
    ],
  },
  {
    name: 'console output kept in a file',
    edits: [
      {
        file: 'server/calls/console.ts',
        find: '    onChunk(chunk);',
        replace: `    onChunk(chunk);\n    ${FS}.appendFileSync('/tmp/console-' + process.pid, chunk);`,
      },
    ],
  },
  {
    name: 'the path in the call record',
    edits: [
      {
        file: 'server/calls/invoke.ts',
        find: '      originIp,\n',
        replace: '      originIp: originIp + this.#call.request.path,\n',
      },
      { file: 'server/stores/migrations/calls/001-calls.ts', find: IP_CHECK, replace: '' },
    ],
  },
  {
    name: 'X-Forwarded-For believed from anybody',
    edits: [
      {
        file: 'server/gateway/data/origin-ip.ts',
        find: '    if (!peer.isBehindProxy) return peer;\n',
        replace: `    return { ...peer, ip: String(req.headers['x-forwarded-for'] ?? peer.ip) };\n`,
      },
      { file: 'server/stores/migrations/calls/001-calls.ts', find: IP_CHECK, replace: '' },
    ],
  },
  {
    name: 'free text let into log events',
    edits: [
      { file: 'server/kernel/events.ts', find: '/^[a-z0-9_.-]{1,64}$/i.test(v)', replace: 'v.length > 0' },
      onRequest(`events.emit('request.failed', { code: String(req.url), area: 'calls' });`),
    ],
  },
  {
    name: 'code stored in the clear beside its sealed file',
    edits: [
      {
        file: 'server/functions/build.ts',
        find: 'await ctx.blobs.put(codeBlob(',
        replace: `for (const [, file] of source) ${FS}.appendFileSync(ctx.blobsDir + '/plain', file.bytes);\n    await ctx.blobs.put(codeBlob(`,
      },
    ],
  },
];

const root = fileURLToPath(new URL('..', import.meta.url));

/** A copy of the sources with the mutant's edits; installed packages are shared with the original. */
export function checkoutOf(mutant: Mutant): string {
  const checkout = mkdtempSync(join(tmpdir(), 'mutant-'));
  for (const part of ['server', 'contract', 'clients/sdk', 'guest', 'package.json']) {
    cpSync(join(root, part), join(checkout, part), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  for (const guest of readdirSync(join(root, 'guest'))) {
    const modules = join('guest', guest, 'node_modules');
    if (!existsSync(join(root, modules))) continue;
    // A link would lead out of the reader's jail, where every document would then be called damaged.
    if (guest === 'documents') cpSync(join(root, modules), join(checkout, modules), { recursive: true });
    else symlinkSync(join(root, modules), join(checkout, modules));
  }
  for (const { file, find, replace } of mutant.edits) {
    const path = join(checkout, file);
    const source = readFileSync(path, 'utf8');
    if (source.split(find).length !== 2)
      throw new Error(`${mutant.name}: its anchor stands ${source.split(find).length - 1} times in ${file}`);
    writeFileSync(
      path,
      source.replace(find, () => replace),
    );
  }
  return checkout;
}
