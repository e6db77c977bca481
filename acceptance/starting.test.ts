import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles, startPlatform } from '../testkit/index.ts';
import { attemptStart, fingerprint } from './server-process.ts';

/** What a server refuses to start with, in words that say what to do, and with nothing changed on disk. */
let dataDir: string;
let deployed: Deployed;
let apiKey: string;

beforeAll(async () => {
  const platform = await startPlatform({ layersOf: inject('platform').dataDir });
  ({ dataDir, apiKey } = platform);
  const owner = createClient(platform.url, apiKey);
  deployed = await owner.deploy('startprobe', fixtureFiles('probe', { shortname: 'startprobe' }));
  await owner.call(deployed, '?do=count');
  await platform.stop();
});

afterAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** A copy of the data directory in which `spoil` changes something; the refusal must change nothing more. */
async function refusal(spoil: (copy: string) => void, env: Record<string, string> = {}): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'jellyfaas-refused-'));
  try {
    const names = readdirSync(dataDir).filter((name) => name !== 'layers');
    for (const name of names) cpSync(join(dataDir, name), join(copy, name), { recursive: true });
    spoil(copy);
    const before = fingerprint(copy);
    const { code, output } = await attemptStart({ dataDir: copy, env });
    expect([code, output]).toEqual([1, expect.stringContaining('The platform cannot start.')]);
    expect(output).not.toMatch(/^\s+at /m);
    expect(fingerprint(copy)).toEqual(before);
    return output.replaceAll(copy, 'DATA');
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

describe('the root key', () => {
  const keyFile = (directory: string): string => join(directory, 'keys', 'root.key');

  it('of another installation is refused', async () => {
    const message = await refusal((copy) => writeFileSync(keyFile(copy), Buffer.alloc(32, 7)));
    expect(message).toContain('root key');
  });

  it('that others can read is refused with the command that helps', async () => {
    const message = await refusal((copy) => chmodSync(keyFile(copy), 0o640));
    expect(message).toContain('chmod 600 DATA/keys/root.key');
  });

  it('of the wrong length is refused', async () => {
    expect(await refusal((copy) => writeFileSync(keyFile(copy), Buffer.alloc(31)))).toContain('32 bytes');
  });

  it('that is missing beside data is never made anew', async () => {
    const message = await refusal((copy) => rmSync(keyFile(copy)));
    expect(message).toContain('DATA/keys/root.key is missing');
  });

  it('lost together with the key store is never made anew either', async () => {
    const message = await refusal((copy) => rmSync(join(copy, 'keys'), { recursive: true }));
    expect(message).toContain('DATA/keys');
    expect(message).toMatch(/missing|restore/i);
  });

  it('is not replaced by a passphrase that the data was not made with', async () => {
    const passphrase = 'a passphrase of nobody';
    const message = await refusal(() => undefined, { JELLYFAAS_ROOT_KEY_PASSPHRASE: passphrase });
    expect(message).not.toContain(passphrase);
    expect(message).toContain('root.salt');
  });
});

describe('a store', () => {
  for (const name of ['keys', 'accounts', 'functions']) {
    it(`${name} that is a plaintext database is refused`, async () => {
      const message = await refusal((copy) => {
        const path = join(copy, name, `${name}.db`);
        rmSync(path);
        const database = new DatabaseSync(path);
        database.exec('create table t (c text)');
        database.close();
      });
      expect(message).toContain('is an unencrypted database');
      expect(message).toContain(name);
    });

    it(`${name} that is damaged is refused`, async () => {
      const message = await refusal((copy) => {
        const path = join(copy, name, `${name}.db`);
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0x55, 100, 5000));
      });
      expect(message).toMatch(new RegExp(`${name}`));
    });
  }

  it('that is a symbolic link is refused', async () => {
    const message = await refusal((copy) => {
      const path = join(copy, 'accounts', 'accounts.db');
      renameSync(path, `${path}.real`);
      execFileSync('ln', ['-s', `${path}.real`, path]);
    });
    expect(message).toContain('not a regular file');
  });
});

describe('settings', () => {
  it('with faults are refused with all of them, and no secret is repeated', async () => {
    const fresh = join(dataDir, 'never-made');
    const secret = 'short';
    const { code, output } = await attemptStart({
      dataDir: fresh,
      env: {
        JELLYFAAS_PORT: '99999',
        JELLYFAAS_TOKEN_HOURS: 'soon',
        JELLYFAAS_PUBLIC_URL: 'ftp://x',
        JELLYFAAS_ROOT_KEY_PASSPHRASE: secret,
      },
    });
    expect(code).toBe(1);
    for (const name of [
      'JELLYFAAS_PORT',
      '--token-hours',
      'JELLYFAAS_PUBLIC_URL',
      'JELLYFAAS_ROOT_KEY_PASSPHRASE',
    ])
      expect(output).toContain(name);
    expect(output).not.toContain(secret);
    expect(output).not.toMatch(/^\s+at /m);
    expect(existsSync(fresh)).toBe(false);
  });

  it('that nobody knows are refused by name', async () => {
    const fresh = join(dataDir, 'never-made');
    const flag = await attemptStart({ dataDir: fresh, args: ['--no-such-setting', '1'] });
    expect([flag.code, flag.output]).toEqual([1, expect.stringContaining('--no-such-setting')]);
    const file = join(dataDir, 'settings.json');
    writeFileSync(file, '{"prot": 1}');
    const configured = await attemptStart({ dataDir: fresh, args: ['--config', file] });
    rmSync(file);
    expect([configured.code, configured.output]).toEqual([1, expect.stringContaining('prot')]);
    expect(existsSync(fresh)).toBe(false);
  });

  it('of an address that is taken are refused', async () => {
    const fresh = mkdtempSync(join(tmpdir(), 'jellyfaas-refused-'));
    const { port } = new URL(inject('platform').url);
    const { code, output } = await attemptStart({ dataDir: fresh, env: { JELLYFAAS_PORT: port } });
    rmSync(fresh, { recursive: true });
    expect([code, output]).toEqual([1, expect.stringMatching(/EADDRINUSE[\s\S]*JELLYFAAS_PORT/)]);
  });
});

describe('a data directory', () => {
  it('that another server uses is refused, as often as it is tried, and that server serves on', async () => {
    const { dataDir: taken, pid, url } = inject('platform');
    for (const _ of [1, 2]) {
      const { code, output } = await attemptStart({ dataDir: taken });
      expect([code, output]).toEqual([
        1,
        expect.stringContaining(`Another server (pid ${pid}) uses ${taken}`),
      ]);
    }
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('that is not new keeps its keys: a bootstrap key given later opens nothing', async () => {
    const later = 'sk_L4terKeyThatNobodyShouldHave';
    const platform = await startPlatform({ dataDir, env: { JELLYFAAS_BOOTSTRAP_API_KEY: later } });
    try {
      const validate = (key: string): Promise<Response> =>
        fetch(`${platform.url}/auth-service/v1/validate`, { headers: { 'x-jf-apikey': key } });
      expect((await validate(later)).status).toBe(401);
      expect((await validate(apiKey)).status).toBe(200);
      expect(platform.output()).not.toContain(later);
      expect(platform.output()).not.toContain('API key');
      // All the refusals above have left the data as it was.
      expect((await createClient(platform.url, apiKey).call(deployed, '?do=count')).status).toBe(200);
    } finally {
      await platform.stop();
    }
  });
});

describe('the sandbox', () => {
  const isRoot = process.getuid?.() === 0;
  const hideBubblewrap = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']
    .map((directory) => `${directory}/bwrap`)
    .filter((path) => existsSync(path))
    .map((path) => `mount --bind /dev/null ${path}`)
    .join('\n');

  it.runIf(isRoot)('that is not installed keeps the server from starting, with both ways out', async () => {
    const fresh = join(dataDir, 'never-made');
    const { code, output } = await attemptStart({ dataDir: fresh, before: hideBubblewrap });
    expect([code, output]).toEqual([1, expect.stringContaining('bwrap is not installed')]);
    expect(output).toContain('apt-get install bubblewrap');
    expect(output).toContain('--unsafe-no-sandbox');
    expect(existsSync(fresh)).toBe(false);
  });

  it('is left out only when told so in so many words, with a loud warning, and calls work', async () => {
    const platform = await startPlatform({
      layersOf: inject('platform').dataDir,
      env: { JELLYFAAS_UNSAFE_NO_SANDBOX: 'true' },
    });
    try {
      expect(platform.output()).toContain('WARNING: functions run WITHOUT a sandbox');
      const owner = createClient(platform.url, platform.apiKey);
      const probe = await owner.deploy('unsafeprobe', fixtureFiles('probe', { shortname: 'unsafeprobe' }));
      expect((await owner.call(probe, '?do=count')).status).toBe(200);
      expect(await platform.stop()).toBe(0);
    } finally {
      await platform.stop();
      platform.remove();
    }
  });
});
