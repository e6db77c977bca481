import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** Code that eats what the machine has: the neighbour must not notice. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
let glutton: Deployed;
let neighbour: Neighbour;

/** Sends the attack, and calls the neighbour while it goes on. */
async function during(path: string, body?: string): Promise<Response> {
  const attack = owner.call(glutton, path, body === undefined ? {} : { method: 'POST', body });
  await neighbour.answers();
  return attack;
}

beforeAll(async () => {
  glutton = await owner.deploy('glutton', fixtureFiles('probe', { shortname: 'glutton', timeoutSeconds: 5 }));
  neighbour = await moveIn(owner);
});

afterEach(async () => {
  await neighbour.answers();
  expect((await owner.call(glutton, '?do=status&code=200')).status).toBe(200);
});

describe('a function that', () => {
  it('takes all memory ends alone, told apart as out of memory', async () => {
    const response = await during('?do=oom');
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ errorId: 'calls.function_out_of_memory' });
  });

  it('bombs with processes is stopped by its task limit', async () => {
    const response = await during(
      '?do=eval',
      `const { spawn } = require('node:child_process');
       let started = 0;
       for (let i = 0; i < 400; i++) {
         try { const c = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 3000)']); c.on('error', () => {}); if (c.pid) started++; } catch {}
       }
       return started;`,
    );
    if (response.status === 200)
      expect(((await response.json()) as { value: number }).value).toBeLessThan(100);
    else expect(response.status).toBe(502);
  });

  it('starts threads without end is stopped by its task limit', async () => {
    const response = await during(
      '?do=eval',
      `const { Worker } = require('node:worker_threads');
       let started = 0;
       for (let i = 0; i < 300; i++) {
         const w = new Worker('setTimeout(() => {}, 3000)', { eval: true });
         w.on('error', () => {}); w.on('online', () => started++);
       }
       await new Promise((done) => setTimeout(done, 1500));
       return started;`,
    );
    // Either the function sees its threads fail to start, or it ends itself on them.
    if (response.status === 200)
      expect(((await response.json()) as { value?: number }).value ?? 0).toBeLessThan(100);
    else expect([502, 504]).toContain(response.status);
  });

  it('fills its temporary directory gets "no space", not the host', async () => {
    const response = await during('?do=write&paths=/tmp/full', 'x'.repeat(31 * 1024 * 1024));
    expect(response.status).toBeLessThan(503);
    const more = await owner.call(glutton, '?do=eval', {
      method: 'POST',
      body: `const fs = require('node:fs'); const piece = Buffer.alloc(1 << 20); let n = 0;
             try { for (; n < 500; n++) fs.appendFileSync('/tmp/full', piece); } catch (e) { return [n, e.code]; }`,
    });
    if (more.status === 200) {
      const { value } = (await more.json()) as { value: [number, string] };
      expect(value[1]).toBe('ENOSPC');
      expect(value[0]).toBeLessThanOrEqual(64);
    } else expect(more.status).toBe(502);
  });

  it('fills it with empty files runs into a limit', async () => {
    const response = await during(
      '?do=eval',
      `const fs = require('node:fs'); let n = 0; try { for (; n < 2_000_000; n++) fs.writeFileSync('/tmp/i' + n, ''); } catch (e) { return [n, e.code]; }`,
    );
    if (response.status === 200)
      expect(((await response.json()) as { value: [number, string] }).value[1]).toBe('ENOSPC');
    else expect([502, 504]).toContain(response.status);
  });

  it('never stops computing is cut at its deadline', async () => {
    const response = await during('?do=eval', 'for (;;);');
    expect(response.status).toBe(504);
  });

  it('opens descriptors without end runs into its own limit', async () => {
    const response = await during(
      '?do=eval',
      `const fs = require('node:fs'); let n = 0; try { for (; n < 1_000_000; n++) fs.openSync('/dev/null'); } catch (e) { return e.code; }`,
    );
    if (response.status === 200) expect(await response.json()).toMatchObject({ value: 'EMFILE' });
    else expect([502, 504]).toContain(response.status);
  });

  it('floods its console is drained and does not grow the platform', async () => {
    const response = await during(
      '?do=eval',
      `const line = 'x'.repeat(1 << 16); for (let i = 0; i < 1000; i++) process.stdout.write(line + '\\n'); return 'done';`,
    );
    expect(response.status).toBe(200);
  });

  it('answers without end is cut at its deadline', async () => {
    const response = await during('?do=stream&chunks=100000000&every=0');
    await expect(response.text()).rejects.toThrow();
  });

  it('answers with absurd headers is refused, not relayed', async () => {
    const response = await during('?do=hugeheader');
    expect(response.status).toBe(502);
  });

  it('sends its own process every signal hurts only itself', async () => {
    const response = await during(
      '?do=eval',
      `process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});`,
    );
    expect(response.status).toBe(502);
  });
});
