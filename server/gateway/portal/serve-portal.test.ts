import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { createPortalFiles } from './portal-files.ts';

const SCRIPT = `console.log('${'a'.repeat(2000)}');`;
const PAGE = '<!doctype html><title>JellyFaaS</title>';
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let dir: string;
let running: RunningGateway;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'portal-'));
  mkdirSync(join(dir, 'dist', 'assets'), { recursive: true });
  writeFileSync(join(dir, 'secret.html'), 'secret');
  writeFileSync(join(dir, 'dist', '.built-from'), 'stamp');
  writeFileSync(join(dir, 'dist', 'index.html'), PAGE);
  writeFileSync(join(dir, 'dist', 'icon.svg'), '<svg/>');
  writeFileSync(join(dir, 'dist', 'assets', 'index-D1x8.js'), SCRIPT);
  running = await start(join(dir, 'dist'));
});
afterEach(async () => {
  await running.gateway.close(1000);
  rmSync(dir, { recursive: true });
});

async function start(directory: string): Promise<RunningGateway> {
  const gateway = await startGateway();
  const { signIn } = gateway.fakes.portal;
  await gateway.gateway.close(1000);
  return await startGateway({ portal: { signIn, files: createPortalFiles(directory) } });
}

const get = (path: string, headers: Record<string, string> = BROWSER): Promise<Response> =>
  fetch(`${running.url}${path}`, { headers });

describe('the portal', () => {
  it.each(['/', '/library', '/library/greeter?version=2', '/aimee/sites/1'])(
    'is the same page at %s, under its own strict policy and without a cookie',
    async (path) => {
      const response = await get(path);
      expect([response.status, await response.text()]).toEqual([200, PAGE]);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'no-store',
        'content-type': 'text/html; charset=utf-8',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'sha256-/);
      expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
      expect(response.headers.getSetCookie()).toEqual([]);
    },
  );

  it('serves its hashed files for good, compressed for whoever can read that', async () => {
    const plain = await get('/assets/index-D1x8.js', { 'accept-encoding': 'identity' });
    expect(await plain.text()).toBe(SCRIPT);
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const raw = await running.raw(
      'GET /assets/index-D1x8.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n',
    );
    const [head = '', body = ''] = raw.split('\r\n\r\n');
    expect(head).toContain('content-encoding: gzip');
    expect(String(gunzipSync(Buffer.from(body, 'latin1')))).toBe(SCRIPT);
  });

  it.each([
    '/../secret.html',
    '/..%2fsecret.html',
    '/%2e%2e/secret.html',
    '/assets/../../secret.html',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.html',
    '//secret.html',
    '/.built-from',
  ])('has nothing of the machine at %s', async (path) => {
    const answer = await running.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toMatch(/secret|stamp/);
  });

  it.each(['/assets/missing.js', '/api/v1/nothing', '/core-service/v1/nothing', '/metrics/x', '/mcp/x'])(
    'is no page at %s',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toMatch(/json/);
    },
  );

  it('is for browsers that want a page: other clients learn that there is no such endpoint', async () => {
    expect((await get('/library', { accept: 'application/json' })).status).toBe(404);
    expect((await fetch(`${running.url}/library`, { method: 'POST', headers: BROWSER })).status).toBe(404);
  });

  it('answers HEAD as it does GET', async () => {
    const response = await fetch(`${running.url}/icon.svg`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(await response.text()).toBe('');
  });

  it('that was not built says so', async () => {
    const bare = await start(join(dir, 'nowhere'));
    const response = await fetch(`${bare.url}/`, { headers: BROWSER });
    expect(response.status).toBe(503);
    expect(await json(response)).toMatchObject({ errorId: 'portal.not_built' });
    await bare.gateway.close(1000);
  });
});
