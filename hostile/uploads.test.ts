import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createClient, fixtureFiles, zip } from '../testkit/index.ts';
import { type RawEntry, rawZip } from '../testkit/raw-zip.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** Archives and specs made to break what unpacks them: refused with a precise error, and nothing stays behind. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
let neighbour: Neighbour;

const SPEC = JSON.stringify({ name: 'Up', shortname: 'upload', runtime: 'nodejs24', entrypoint: 'probe' });

async function refused(
  archive: Uint8Array,
): Promise<{ status: number; errorId: string; errorMessage: string }> {
  const response = await owner.upload('upload', archive);
  const answer = (await response.json()) as { errorId: string; errorMessage: string };
  expect(Object.keys(answer).toSorted()).toEqual(['errorId', 'errorMessage']);
  expect(answer.errorMessage).not.toMatch(/at .*\.(ts|js):\d+|node_modules/);
  return { status: response.status, ...answer };
}

beforeAll(async () => {
  neighbour = await moveIn(owner);
});

afterEach(async () => {
  await neighbour.answers();
  const exists = await owner.core('GET', '/exists?name=upload');
  expect(await exists.json()).toMatchObject({ exists: false });
});

const entries = (...more: RawEntry[]): Buffer =>
  rawZip([{ name: 'upload/jellyspec.json', data: SPEC }, ...more]);
const zeros = Buffer.alloc(60 * 1024 * 1024);

const ARCHIVES: Record<string, [() => Uint8Array, number, RegExp]> = {
  'a path that climbs': [
    () => entries({ name: 'upload/../../../../etc/cron.d/x', data: 'x' }),
    400,
    /unsafe_path/,
  ],
  'an absolute path': [() => entries({ name: '/etc/cron.d/x', data: 'x' }), 400, /unsafe_path/],
  'a Windows path': [() => entries({ name: 'upload\\..\\..\\x', data: 'x' }), 400, /unsafe_path/],
  'a drive letter': [() => entries({ name: 'C:/x', data: 'x' }), 400, /unsafe_path/],
  'a symbolic link': [
    () => entries({ name: 'upload/link', data: '/etc/shadow', mode: 0o120777 }),
    400,
    /special_file/,
  ],
  'a device': [() => entries({ name: 'upload/disk', mode: 0o060666 }), 400, /special_file/],
  'a NUL in a name': [() => entries({ name: 'upload/a\0.js' }), 400, /bad_name/],
  'a right-to-left name': [() => entries({ name: 'upload/\u202Esj.exe' }), 400, /bad_name/],
  'an invisible character': [() => entries({ name: 'upload/in\u200Bdex.js' }), 400, /bad_name/],
  'names that differ in case only': [
    () => entries({ name: 'upload/A.js' }, { name: 'upload/a.js' }),
    400,
    /duplicate_name/,
  ],
  'names that normalise to one': [
    () => entries({ name: 'upload/caf\u00e9' }, { name: 'upload/cafe\u0301' }),
    400,
    /duplicate_name/,
  ],
  'two specs': [() => entries({ name: 'upload/jellyspec.json', data: SPEC }), 400, /duplicate_name/],
  'encrypted entries': [() => entries({ name: 'upload/x', data: 'x', flags: 0x801 }), 400, /encrypted/],
  'an exotic compression': [() => entries({ name: 'upload/x', data: 'x', method: 14 }), 400, /compression/],
  'a bomb': [() => entries({ name: 'upload/zeros', data: zeros }), 413, /bomb/],
  'many small bombs': [
    () =>
      entries(
        ...Array.from({ length: 12 }, (_, i) => ({
          name: `upload/z${i}`,
          data: zeros.subarray(0, 20 << 20),
        })),
      ),
    413,
    /bomb|too_large/,
  ],
  'a bomb that lies about its size': [
    () => entries({ name: 'upload/zeros', data: zeros, declaredBytes: 10 }),
    400,
    /corrupt/,
  ],
  'twenty thousand files': [
    () => rawZip(Array.from({ length: 20_000 }, (_, i) => ({ name: `upload/f${i}`, method: 0 }))),
    413,
    /too_many/,
  ],
  'a wrong checksum': [() => entries({ name: 'upload/x', data: 'x', declaredCrc: 1 }), 400, /corrupt/],
  'half an archive': [
    () => entries({ name: 'upload/x', data: 'x'.repeat(1000) }).subarray(0, 100),
    400,
    /truncated|not_a_zip/,
  ],
  'no archive': [() => Buffer.from('<html>hello</html>'), 400, /not_a_zip/],
  nothing: [() => Buffer.alloc(0), 400, /not_a_zip|no_file|empty/],
  'two root folders': [() => entries({ name: 'other/x' }), 400, /root/],
  'no spec': [() => rawZip([{ name: 'upload/index.js', data: '1' }]), 400, /no_spec/],
};

describe('an archive with', () => {
  for (const [name, [build, status, errorId]] of Object.entries(ARCHIVES)) {
    it(`${name} is refused`, async () => {
      const answer = await refused(build());
      expect([answer.status, answer.errorId]).toEqual([status, expect.stringMatching(errorId)]);
    });
  }
});

const spec = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...(JSON.parse(SPEC) as object), ...change });
const deep = `${'{"properties":{"a":'.repeat(3000)}{}${'}}'.repeat(3000)}`;

const SPECS: Record<string, [string, RegExp]> = {
  'that is not JSON': ['{"name": ', /spec/],
  'that is a list': ['[]', /spec/],
  'without a name for itself': [spec({ shortname: undefined }), /spec/],
  'with a climbing shortname': [spec({ shortname: '../../etc' }), /spec/],
  'with a shortname of another alphabet': [spec({ shortname: 'gr\u0435eter' }), /spec/],
  'with an unknown runtime': [spec({ runtime: 'cobol85' }), /spec|runtime/],
  'with shell in its entrypoint': [spec({ entrypoint: '$(reboot); --inspect' }), /spec/],
  'with an egress address': [spec({ egress: ['169.254.169.254'] }), /spec/],
  'with an egress URL': [spec({ egress: ['http://user@internal/'] }), /spec/],
  'with an endless timeout': [spec({ timeoutSeconds: 1e9 }), /spec/],
  'with a schema thousands of levels deep': [
    spec({ requirements: { requestType: 'POST', inputType: 'JSON', inputSchema: 'DEEP' } }).replace(
      '"DEEP"',
      deep,
    ),
    /spec|schema|document/,
  ],
  'with a remote schema reference': [
    spec({
      requirements: {
        requestType: 'POST',
        inputType: 'JSON',
        inputSchema: { type: 'object', $ref: 'http://169.254.169.254/' },
      },
    }),
    /spec|schema/,
  ],
  'with a pattern that never ends': [
    spec({
      requirements: {
        requestType: 'POST',
        inputType: 'JSON',
        inputSchema: { type: 'string', pattern: '^(a+)+$' },
      },
    }),
    /spec|schema/,
  ],
  'of half a megabyte': [spec({ description: 'x'.repeat(500_000) }), /spec|document/],
};

describe('a jellyspec', () => {
  for (const [name, [text, errorId]] of Object.entries(SPECS)) {
    it(`${name} is refused with what to do`, async () => {
      const answer = await refused(await zip('upload', { 'jellyspec.json': text }));
      expect([400, 413]).toContain(answer.status);
      expect(answer.errorId).toMatch(errorId);
    });
  }

  it('cannot pollute prototypes', async () => {
    const text =
      `{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, ${SPEC.slice(1)}`.replace(
        '"entrypoint":"probe"',
        '"entrypoint":"../x"',
      );
    await refused(await zip('upload', { 'jellyspec.json': text }));
    expect((await owner.core('GET', '/exists?name=polluted')).status).toBe(200);
  });
});

describe('an upload', () => {
  it('that is not multipart, has no file, or two, is refused', async () => {
    for (const body of ['x', JSON.stringify({ file: 'x' })]) {
      const response = await owner.core('POST', '/upload', body, { 'content-type': 'application/json' });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.json()).toEqual({
        errorId: expect.any(String),
        errorMessage: expect.any(String),
      });
    }
    const form = new FormData();
    form.set('notafile', 'x');
    expect((await owner.core('POST', '/upload', form)).status).toBe(400);
    for (const name of ['a.zip', 'b.zip']) form.append('file', new Blob(['x']), name);
    expect((await owner.core('POST', '/upload', form)).status).toBeGreaterThanOrEqual(400);
  });

  it('of an install script cannot reach the host, the network or the neighbour', async () => {
    const script = `
      const fs = require('node:fs'), net = require('node:net'); const found = [];
      for (const p of ['/etc/shadow', '/root', process.env.JELLYFAAS_DATA_DIR ?? '/nowhere']) if (fs.existsSync(p)) found.push(p);
      const done = () => { console.error('FOUND ' + JSON.stringify(found)); process.exit(1); };
      const s = net.connect(${new URL(url).port}, '127.0.0.1'); s.on('connect', () => { found.push('gateway'); done(); }); s.on('error', done);`;
    const files = {
      ...fixtureFiles('probe', { shortname: 'upscript' }),
      'package.json': JSON.stringify({
        name: 'x',
        version: '1.0.0',
        dependencies: { local: 'file:./local' },
      }),
      'local/package.json': JSON.stringify({
        name: 'local',
        version: '1.0.0',
        scripts: { postinstall: 'node attack.js' },
      }),
      'local/attack.js': script,
    };
    const outcome = await owner.deploy('upscript', files).catch((error: unknown) => String(error));
    expect(JSON.stringify(outcome)).not.toContain('gateway');
    expect(JSON.stringify(outcome)).not.toMatch(/FOUND \[[^\]]/);
  });
});
