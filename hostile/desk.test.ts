import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { deskPlan } from '../server/desk/worker-plan.ts';
import { HERS, HIS, type TestDoor, createTestDoor } from '../server/gateway/desk/testing/door.ts';
import type { ProviderConfig } from '../server/models/model-settings.ts';
import type { Jail } from '../server/sandbox/jail.ts';
import { finish, openTestJail } from '../server/sandbox/testing.ts';

/** A desk that was taken over: code of somebody else runs in its jail, and has its door, its way out and a pass. */
const checkout = fileURLToPath(new URL('..', import.meta.url));
const LIMITS = { memoryMib: 512, tasks: 128, cpuPercent: 100, tmpMib: 16 };
let jail: Jail;
let servers: readonly Server[];
let models: readonly ProviderConfig[];
let door: TestDoor;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  jail = await openTestJail();
  servers = [1, 2, 3].map(() => createServer((socket) => socket.end()).listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const [provider, clear] = servers.map(portOf);
  models = Object.entries({ https: provider, http: clear }).map(([scheme, port]) => ({
    platform: scheme,
    kind: 'openai-compatible',
    baseUrl: `${scheme}://127.0.0.1:${port}/v1`,
    model: 'm',
    key: undefined,
    isOutside: false,
    retention: 'none',
  }));
  door = createTestDoor(models);
});

afterAll(async () => {
  await jail.close();
  for (const server of servers) server.close();
});

/** What the expression, given as source, comes to where a desk would run. */
async function takenOver(expression: string): Promise<unknown> {
  const { argv, env, binds, egress } = deskPlan('questions', {
    models,
    embeddings: { directory: undefined, endpoint: undefined },
    embedded: undefined,
    door: door.listener,
  });
  const program = `${TOOLS}\n(async () => process.stdout.write(JSON.stringify(${expression})))();`;
  const spec = { env, binds, limits: LIMITS, door: door.listener, ...(egress !== undefined && { egress }) };
  const ended = await finish(jail.start({ ...spec, argv: [argv[0] ?? '', '-e', program] }));
  expect(ended).toMatchObject({ reason: 'exit', code: 0, stderr: '' });
  return JSON.parse(ended.stdout);
}

/** Without a library: what an exploit has at hand. */
const TOOLS = `
  const http = require('node:http'), fs = require('node:fs'), net = require('node:net');
  const ask = (path, jfwt, type = 'application/json', body = '{}') => new Promise((resolve) => {
    const options = { socketPath: '/run/fn/door.sock', path, method: 'POST', headers: { jfwt, 'content-type': type } };
    http.request(options, (res) => {
      let text = '';
      res.on('data', (chunk) => (text += chunk)).on('end', () => resolve(res.statusCode + ' ' + text));
    }).on('error', (error) => resolve(error.code)).end(body);
  });
  const tunnel = (target) => new Promise((resolve) => {
    http.request({ socketPath: '/run/fn/egress.sock', method: 'CONNECT', path: target })
      .on('connect', (res, socket) => { socket.destroy(); resolve(res.statusCode); })
      .on('response', (res) => resolve(res.statusCode)).on('error', (error) => resolve(error.code)).end();
  });
  const straight = (port) => new Promise((resolve) => {
    net.connect(port, '127.0.0.1', () => resolve('connected')).on('error', (error) => resolve(error.code));
  });`;

const SEALED = 'message/ohttp-chunked-req';

describe('a desk that was taken over', () => {
  it('reaches the functions of its caller while his request runs, and nobody else’s', async () => {
    const { pass, ended } = door;
    const said = await takenOver(`[
      await ask('/${HERS}', '${pass.token}', '${SEALED}'),
      await ask('/${HIS}', '${pass.token}', '${SEALED}'),
      await ask('/callable', '${pass.token}', 'application/json', '{"shortnames":["his"]}'),
      await ask('/${HERS}', '${ended}', '${SEALED}'),
      await ask('/callable', '${ended}'),
      await ask('/callable', 'pass_00000000000000000000000000000000'),
    ]`);
    expect(said).toEqual([
      expect.stringMatching(/^200 /),
      expect.stringMatching(/^404 /),
      expect.stringContaining('function.not_found'),
      expect.stringMatching(/^403 /),
      expect.stringContaining('auth.invalid_token'),
      expect.stringContaining('auth.invalid_token'),
    ]);
    expect(door.calls.map(({ deployment }) => deployment.id)).toEqual([HERS]);
  });

  it('finds nothing behind its door but what is served there', async () => {
    const paths = ['/api/v1/me', '/metrics', '/core-service/v1/library', '/%2e%2e/model', '/callable/'];
    const said = await takenOver(
      `await Promise.all(${JSON.stringify(paths)}.map((path) => ask(path, '${door.pass.token}')))`,
    );
    expect(said).toEqual(paths.map(() => expect.stringContaining('function.not_found')));
  });

  it('goes nowhere but to the providers that are reached over TLS', async () => {
    const [provider, clear, stranger] = servers.map(portOf);
    const platform = new URL(inject('platform').url).port;
    const refused = [
      '127.0.0.1:' + clear,
      '127.0.0.1:' + stranger,
      '127.0.0.1:' + platform,
      '169.254.169.254:80',
    ];
    expect(await takenOver(`await tunnel('127.0.0.1:${provider}')`)).toBe(200);
    expect(
      await takenOver(`await Promise.all(${JSON.stringify(refused)}.map((target) => tunnel(target)))`),
    ).toEqual(refused.map(() => 403));
    expect(await takenOver(`await straight(${provider})`)).toMatch(/^E/);
  });

  it('sees the sources that it runs, cannot write them, and sees nothing that lies beside them', async () => {
    const home = '/opt/jellyfaas/desk';
    const seen = await takenOver(`{
      home: fs.readdirSync('${home}').sort(),
      beside: ['guest', 'clients'].flatMap((name) => fs.readdirSync('${home}/' + name)),
      host: ${JSON.stringify([checkout, inject('platform').dataDir, '/etc/shadow', '/root', '/home'])}
        .filter((path) => fs.existsSync(path)),
      env: Object.keys(process.env).sort(),
      written: ['${home}/server/main.ts', '${home}/x', '/x'].filter((path) => {
        try { fs.writeFileSync(path, ''); return true; } catch { return false; }
      }),
    }`);
    expect(seen).toEqual({
      home: ['clients', 'contract', 'guest', 'node', 'node_modules', 'package.json', 'server'],
      beside: ['desk', 'sdk'],
      host: [],
      env: ['HOME', 'NODE_ENV', 'PATH', 'PWD'],
      written: [],
    });
  });
});
