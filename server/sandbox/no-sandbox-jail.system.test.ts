import { once } from 'node:events';
import { connect } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventLog } from '../kernel/events.ts';
import { textFile } from '../kernel/source-tree.ts';
import type { Jail } from './jail.ts';
import { createUnsafeJail } from './no-sandbox-jail.ts';
import { openRunDirectory } from './run-directory.ts';
import { finish, LIMITS, startShell } from './testing.ts';

const FIXTURES = { source: fileURLToPath(new URL('fixtures', import.meta.url)), target: '/opt/fixtures' };

let jail: Jail;
let path: string;
beforeAll(async () => {
  path = await mkdtemp('/run/jellyfaas-unsafe-');
  const runDirectory = await openRunDirectory({ privateMounts: true, path, sizeMib: 64 });
  jail = await createUnsafeJail({ runDirectory, events: createEventLog(() => undefined, Date.now) });
});
afterAll(async () => {
  await jail.close();
  await rm(path, { recursive: true });
});

test('the unprotected kind speaks the same protocol at the same paths', async () => {
  const argv = ['/usr/bin/python3', '/opt/fixtures/bind-socket.py'];
  const guest = await jail.start({ argv, env: {}, binds: [FIXTURES], limits: LIMITS });
  await once(guest.control, 'data');
  expect(await text(connect(await guest.sealSocket()))).toBe('guest');
  expect(await guest.kill()).toEqual({ reason: 'killed', code: null });
});

test('the unprotected kind shows code and scratch space, and keeps /tmp off the disk', async () => {
  const scratch = await jail.scratch(8);
  const step = await startShell(
    jail,
    'read line <&3; cat /app/a; echo $GREETING > b; stat -f -c %T /tmp; pwd',
    {
      scratch,
      env: { GREETING: 'hello' },
    },
  );
  await step.writeApp(new Map([['a', textFile('code\n')]]));
  step.control.destroy();
  expect(await finish(step)).toMatchObject({ code: 0, stdout: 'code\ntmpfs\n/work\n' });
  expect((await finish(startShell(jail, 'cat b', { scratch }))).stdout).toBe('hello\n');
  await scratch.dispose();
});

test('the unprotected kind lets code write into a directory that it adopts', async () => {
  const directory = await mkdtemp('/run/adopted-');
  const scratch = await jail.adopt(directory, ['data']);
  expect(await finish(startShell(jail, 'echo x > data; echo y > other', { scratch }))).toMatchObject({
    code: 0,
  });
  await scratch.dispose();
  expect(await readdir(directory)).toEqual(['data']);
  await rm(directory, { recursive: true });
});

test('the unprotected kind says that nothing is protected', () => {
  expect(jail.kind).toBe('none');
  expect(jail.limitations.map(({ code }) => code)).toContain('no-sandbox');
});
