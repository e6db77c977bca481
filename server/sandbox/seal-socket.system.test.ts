import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Jail, JailedProcess } from './jail.ts';
import { finish, LIMITS, openTestJail, PROGRAMS, startPython, startShell } from './testing.ts';

const FIXTURES = { source: fileURLToPath(new URL('fixtures', import.meta.url)), target: '/fixtures' };

let jail: Jail;
beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(() => jail.close());

async function startGuest(): Promise<JailedProcess> {
  const guest = await jail.start({
    argv: ['/usr/bin/python3', '/fixtures/bind-socket.py'],
    env: {},
    binds: [...PROGRAMS, FIXTURES],
    limits: LIMITS,
  });
  await once(guest.control, 'data');
  return guest;
}

test('a guest that tries to swap its sealed socket changes nothing for the host', async () => {
  const guest = await startGuest();
  const path = await guest.sealSocket();
  expect(await text(connect(path))).toBe('guest');
  guest.control.write('swap');
  await once(guest.control, 'data');
  expect(await text(connect(path))).toBe('guest');
  guest.control.destroy();
  const { stdout } = await finish(guest);
  const [unlink, rename, symlink, create, chmod, moveDirectory] = stdout.trim().split('\n');
  expect([unlink, rename, symlink, create]).toEqual(Array(4).fill('PermissionError'));
  expect([chmod, moveDirectory]).not.toContain('done');
});

test('a link to a socket of the host is not sealed', async () => {
  const hostSocket = '/run/jellyfaas-test-host.sock';
  const server = createServer((socket) => socket.end('host'));
  await new Promise<void>((resolve) => server.listen(hostSocket, resolve));
  const guest = await startPython(
    jail,
    `import os, socket; os.symlink("${hostSocket}", "/run/fn/http.sock"); c = socket.socket(fileno=3); c.sendall(b"up"); c.recv(1)`,
  );
  await once(guest.control, 'data');
  await expect(guest.sealSocket()).rejects.toMatchObject({ code: 'sandbox.no_socket' });
  await guest.kill();
  await new Promise((resolve) => server.close(resolve));
  await rm(hostSocket, { force: true });
});

test.each([
  ['a plain file', 'open("/run/fn/http.sock", "w")'],
  ['a directory', 'os.mkdir("/run/fn/http.sock")'],
  ['a pipe', 'os.mkfifo("/run/fn/http.sock")'],
  ['nothing', 'pass'],
])('%s in place of the socket is refused', async (_, statement) => {
  const guest = await startPython(
    jail,
    `import os, socket\n${statement}\nc = socket.socket(fileno=3); c.sendall(b"up"); c.recv(1)`,
  );
  await once(guest.control, 'data');
  await expect(guest.sealSocket()).rejects.toMatchObject({ code: 'sandbox.no_socket' });
  await guest.kill();
});

test('a build step has no socket directory to fill', async () => {
  const scratch = await jail.scratch(8);
  const step = await startShell(jail, 'ls /run; read line <&3', { scratch });
  await expect(step.sealSocket()).rejects.toMatchObject({ code: 'sandbox.no_socket' });
  step.control.destroy();
  expect((await finish(step)).stdout).toBe('');
  await scratch.dispose();
});
