import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type * as Sdk from '@jellyfaas/sdk';
import { launchBrowser } from '../testkit/browser.ts';
import { type Deployed, createClient } from '../testkit/index.ts';
import { startTap } from '../testkit/tcp-tap.ts';
import { greeterFiles } from './calling-platform.ts';

/** The published package in a page of another origin, without bundler, in a real browser. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const root = fileURLToPath(new URL('..', import.meta.url));

const PAGE = `<!doctype html><title>A site</title>
<script type="module">import { jellyfaas } from '/index.js'; globalThis.jellyfaas = jellyfaas;</script>`;

let built: string;
let site: Server;
let origin: string;
let greeter: Deployed;
let browser: Browser;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'jellyfaas-sdk-'));
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'clients/sdk'), '--outDir', built]);
  site = createServer((req, res) => {
    const isScript = req.url?.endsWith('.js') === true;
    res.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    res.end(isScript ? readFileSync(join(built, req.url ?? '')) : PAGE);
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const files = greeterFiles('sealsite');
  const spec = JSON.parse(files['jellyspec.json'] ?? '') as object;
  const withCors = { ...files, 'jellyspec.json': JSON.stringify({ ...spec, cors: { origins: [origin] } }) };
  greeter = await owner.deploy('sealsite', withCors);
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  site.close();
  rmSync(built, { recursive: true });
});

it('a page calls a function sealed, and what it passes is on no wire', async () => {
  const tap = await startTap(url);
  const page = await browser.newPage();
  await page.goto(origin);
  const published = await fetch(`${url}/.well-known/jellyfaas-receipts`);
  const { keys } = (await published.json()) as { keys: { x: string }[] };
  const given = {
    url: tap.url,
    at: `${tap.url}/${greeter.deploymentId}`,
    token: await owner.token(),
    installationKey: keys[0]?.x ?? '',
  };
  const answer = await page.evaluate(async ({ at, token, ...options }) => {
    const { jellyfaas } = globalThis as unknown as typeof Sdk;
    const client = jellyfaas({ ...options, token: () => token });
    return client.invoke(new URL(at), { query: { name: 'canary' }, sealed: true });
  }, given);
  expect(answer).toEqual({ greeting: 'hello, canary!' });
  const seen = Buffer.concat([tap.sent(), tap.received()]).toString('latin1');
  await tap.close();
  expect(seen).toContain(`POST /${greeter.deploymentId} HTTP/1.1`);
  expect(seen).not.toContain('canary');
});
