import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, settingsReference } from './config.ts';

describe('settings', () => {
  it('are all optional', () => {
    expect(loadConfig({}, [])).toMatchObject({ host: '127.0.0.1', port: 8080, unsafeNoSandbox: false });
  });

  it('come from file, environment and flags, the later winning', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'config.json');
    writeFileSync(file, JSON.stringify({ port: 1, host: '127.0.0.2', tokenHours: 1 }));
    const config = loadConfig({ JELLYFAAS_PORT: '2', JELLYFAAS_HOST: '127.0.0.3' }, [
      '--config',
      file,
      '--port',
      '3',
    ]);
    expect([config.port, config.host, config.tokenHours]).toEqual([3, '127.0.0.3', 1]);
  });

  it('report all faults at once, by every name that the setting has', () => {
    const load = (): unknown =>
      loadConfig({ JELLYFAAS_PORT: 'abc', JELLYFAAS_TOKEN_HOURS: '99' }, ['--public-url', 'ftp://x']);
    expect(load).toThrow(
      /JELLYFAAS_PORT[^]*JELLYFAAS_PUBLIC_URL[^]*JELLYFAAS_TOKEN_HOURS|JELLYFAAS_PORT[^]*JELLYFAAS_TOKEN_HOURS/,
    );
  });

  it('refuse unknown keys and flags', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'config.json');
    writeFileSync(file, JSON.stringify({ prot: 8080 }));
    expect(() => loadConfig({ JELLYFAAS_CONFIG: file }, [])).toThrow(/prot/);
    expect(() => loadConfig({}, ['--prot', '1'])).toThrow(/--prot/);
  });

  it('never show a secret', () => {
    const config = loadConfig(
      {
        JELLYFAAS_BOOTSTRAP_API_KEY: 'sk_verysecretvalue',
        JELLYFAAS_ROOT_KEY_PASSPHRASE: 'a long passphrase',
      },
      [],
    );
    expect(JSON.stringify(config)).not.toMatch(/verysecret|long passphrase/);
    expect(() => loadConfig({ JELLYFAAS_ROOT_KEY_PASSPHRASE: 'tooshort' }, [])).toThrow(/^(?!.*tooshort)/s);
  });

  it('have no flag for secrets, because arguments are public on a machine', () => {
    expect(() => loadConfig({}, ['--bootstrap-api-key', 'sk_x'])).toThrow();
  });

  it('are documented as they are', () => {
    expect(readFileSync(new URL('../docs/reference/settings.md', import.meta.url), 'utf8')).toBe(
      settingsReference(),
    );
  });
});
