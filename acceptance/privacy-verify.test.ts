import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkoutOf, MUTANTS } from '../privacy/mutants.ts';
import { DATABASE_MUTANTS } from '../privacy/service-mutants.ts';
import { DESKTOP, launchBrowser, violationsOf } from '../testkit/browser.ts';
import {
  type Platform,
  type ScriptedModel,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Command, type Ran, newCommand } from './command.ts';

/** `jellyfaas privacy verify`, as an operator runs it: against his installation, and against ones that leak. */
const layersOf = inject('platform').dataDir;
let command: Command;
beforeAll(() => void (command = newCommand()));
afterAll(() => command.remove());

interface Verification {
  readonly clauses: readonly {
    readonly id: string;
    readonly result: string;
    readonly checks: readonly {
      readonly tried: string;
      readonly observed: string;
      readonly result: string;
    }[];
  }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly account: { readonly name: string; readonly state: string };
}

/** With the owner's key from the environment, so that nothing of it is an argument. */
function verify(platform: Platform, options: readonly string[]): Promise<Ran> {
  return command.run(['privacy', 'verify', '--url', platform.url, ...options], {
    env: { JELLYFAAS_API_KEY: platform.apiKey },
  });
}

describe('an installation that keeps its promises', () => {
  let model: ScriptedModel;
  let platform: Platform;
  beforeAll(async () => {
    model = await startScriptedModel(() => ({ text: 'It means nothing.' }));
    platform = await startPlatform({
      layersOf,
      env: {
        JELLYFAAS_MODEL_URL: model.url,
        JELLYFAAS_MODEL_NAME: 'scripted',
        JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
      },
    });
  });
  afterAll(async () => {
    await platform.stop();
    platform.remove();
    await model.close();
  });

  it('passes, with evidence for each promise, and is left as it was but for an account without a key', async () => {
    const before = await storedBy(platform);
    const { code, out, err } = await verify(platform, ['--data-dir', platform.dataDir, '--json']);
    const { clauses, counts, account } = JSON.parse(out) as Verification;
    const failed = clauses.filter(({ result }) => result === 'fail');
    expect([failed, code, err]).toEqual([[], 0, '']);
    expect(clauses).toHaveLength(45);
    expect(counts['pass']).toBeGreaterThan(18);
    for (const { checks } of clauses) {
      expect(checks.length).toBeGreaterThan(0);
      for (const { tried, observed } of checks) expect([tried, observed]).not.toContain('');
    }
    const checked = clauses.filter(({ result }) => result === 'pass').map(({ id }) => id);
    expect(checked).toEqual(
      expect.arrayContaining(['P1', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P13', 'P16', 'P20', 'P23', 'P39']),
    );
    expect(model.requests.length).toBeGreaterThan(0);
    const left = account.state === 'erased' ? [] : [account.name];
    expect(await storedBy(platform)).toEqual({ ...before, entities: [...before.entities, ...left] });
  });

  it('is described in one file that everybody can read, and that loads nothing', async () => {
    const { code, out, err } = await verify(platform, ['--report', 'report.html']);
    expect([code, out]).toEqual([0, expect.stringContaining('0 fail')]);
    expect(err).toContain('✓ Read the records of these calls (P5)');
    expect(out).toContain('needs --data-dir');
    const browser: Browser = await launchBrowser();
    const page = await browser.newPage({ viewport: DESKTOP });
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.goto(`file://${join(command.home, 'report.html')}`);
    expect(loaded).toHaveLength(1);
    expect(await page.locator('section').count()).toBe(45);
    expect(await violationsOf(page)).toEqual([]);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
    await browser.close();
    expect(readFileSync(join(command.home, 'report.html'), 'utf8')).not.toContain(platform.apiKey);
  });

  it('is not verified with the key of somebody else', async () => {
    const made = await createClient(platform.url, platform.apiKey).core(
      'POST',
      '/entity',
      JSON.stringify({ type: 'user', name: 'Mia', email: 'mia@example.com' }),
    );
    const { password } = (await made.json()) as { password: string };
    const { code, err } = await verify({ ...platform, apiKey: password }, []);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('Log in with the key of the installation’s owner'),
    ]);
  });
});

/** What the installation lists of what its accounts have. */
async function storedBy({ url, apiKey }: Platform): Promise<{ entities: string[]; functions: unknown }> {
  const client = createClient(url, apiKey);
  const { entities } = (await (await client.core('GET', '/entity')).json()) as {
    entities: { name: string }[];
  };
  return {
    entities: entities.map(({ name }) => name),
    functions: await (await client.core('GET', '/library')).json(),
  };
}

describe('an installation that does not', () => {
  let platform: Platform;
  let checkout: string;
  afterEach(async () => {
    await platform.crash();
    platform.remove();
    rmSync(checkout, { recursive: true, force: true });
  });

  it.each([
    { name: 'a metric labelled with the path', clause: 'P6', where: '/metrics', options: [] },
    { name: 'the path in the call record', clause: 'P5', where: 'no IP address', options: [] },
    {
      name: 'answers kept in an unlinked open file',
      clause: 'P6',
      where: '(deleted)',
      options: ['--data-dir'],
    },
    {
      name: 'documents spooled on their way to the reader',
      clause: 'P12',
      where: '/spool-',
      options: ['--data-dir'],
    },
  ])('fails and says which promise is broken: $name', async ({ name, clause, where, options }) => {
    const mutant = [...MUTANTS, ...DATABASE_MUTANTS].find((one) => one.name === name);
    if (mutant === undefined) throw new Error(`there is no such build: ${name}`);
    checkout = checkoutOf(mutant);
    platform = await startPlatform({ checkout, layersOf });
    const { code, out, err } = await verify(platform, [
      ...options.flatMap((flag) => [flag, platform.dataDir]),
      '--json',
    ]);
    expect([code, JSON.parse(err)]).toEqual([
      1,
      { error: { code: 'cli.promise_broken', message: expect.stringContaining(clause) } },
    ]);
    const { clauses } = JSON.parse(out) as Verification;
    const broken = clauses.find(({ id }) => id === clause);
    expect(broken?.result).toBe('fail');
    expect(JSON.stringify(broken?.checks.filter(({ result }) => result === 'fail'))).toContain(where);
  });
});
