import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DOOR_PATHS } from '../../desk/door-protocol.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { HERS, HIS, type TestDoor, createTestDoor } from './testing/door.ts';

let door: TestDoor;
let server: Server;
let url: string;
/** What the recorder says of every account. */
let restricted: PlatformError | undefined;

beforeEach(async () => {
  const provider = { kind: 'openai-compatible', model: 'm', key: undefined, retention: 'none' } as const;
  restricted = undefined;
  door = createTestDoor(
    [
      { ...provider, platform: 'sealed', baseUrl: 'https://models.example/v1', isOutside: false },
      { ...provider, platform: 'clear', baseUrl: 'http://models.example/v1', isOutside: false },
    ],
    () => {
      if (restricted !== undefined) throw restricted;
    },
  );
  server = createServer(door.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

interface Asked {
  readonly pass?: string | undefined;
  readonly body?: string;
  readonly type?: string;
}

async function ask(
  path: string,
  { pass = door.pass.token, body = '{}', type = 'application/json' }: Asked = {},
) {
  const headers = { 'content-type': type, ...(pass !== '' && { jfwt: pass }) };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

const codeOf = ({ text }: { text: string }): unknown => (JSON.parse(text) as { code: unknown }).code;
const SEALED = 'message/ohttp-chunked-req';

describe('the door', () => {
  it('does nothing more for an account that is restricted while its request runs', async () => {
    restricted = new PlatformError({ kind: 'locked', code: 'account.restricted', message: 'Restricted.' });
    for (const path of Object.values(DOOR_PATHS)) {
      expect(codeOf(await ask(path))).toBe('account.restricted');
    }
  });

  it('answers nobody without a pass that is good now: none, one made up, one of a request that has ended', async () => {
    for (const pass of ['', 'pass_00000000000000000000000000000000', 'acct_alice', door.ended]) {
      for (const path of [...Object.values(DOOR_PATHS), '/nothing']) {
        expect(codeOf(await ask(path, { pass }))).toBe('auth.invalid_token');
      }
      expect((await ask(`/${HERS}`, { pass, type: SEALED })).status).toBe(403);
      const keys = await fetch(`${url}/.well-known/ohttp-keys/${HERS}`, { headers: { jfwt: pass } });
      expect(keys.status).toBe(403);
    }
    expect(door.calls).toEqual([]);
  });

  it('ends with its request, also for what has its pass still', async () => {
    expect((await ask('/callable')).status).toBe(200);
    door.pass.end();
    expect(codeOf(await ask('/callable'))).toBe('auth.invalid_token');
  });

  it('names and calls the functions of the one whose pass it is, sealed alone', async () => {
    const named = JSON.parse((await ask('/callable')).text) as { deployment: { id: string } }[];
    expect(named.map(({ deployment }) => deployment.id)).toEqual([HERS]);
    expect(codeOf(await ask('/callable', { body: '{"shortnames":["his"]}' }))).toBe('function.not_found');
    expect((await ask(`/${HIS}`, { type: SEALED })).status).toBe(404);
    const headers = { jfwt: door.pass.token };
    expect((await fetch(`${url}/.well-known/ohttp-keys/${HIS}`, { headers })).status).toBe(404);
    expect(codeOf(await ask(`/${HERS}`))).toBe('function.not_found');
    expect(door.calls).toEqual([]);
    expect((await ask(`/${HERS}`, { type: SEALED })).status).toBe(200);
    expect(door.calls).toMatchObject([{ caller: 'acct_alice', originIp: '192.0.2.1', isSealed: true }]);
  });

  it('gives models over TLS, or the one in the jail', async () => {
    const modelOf = (platform: string) => ask('/model', { body: JSON.stringify({ platform }) });
    expect(JSON.parse((await modelOf('embedded')).text)).toEqual({ isEmbedded: true, model: 'm' });
    expect(JSON.parse((await modelOf('sealed')).text)).toMatchObject({ provider: { platform: 'sealed' } });
    expect(codeOf(await modelOf('clear'))).toBe('ai.model_in_the_clear');
  });

  it('refuses what is not what it expects, and repeats none of it', async () => {
    for (const body of ['canary', '{"canary":', '"canary"', '', '[]', '{"shortnames":"canary"}']) {
      const answer = await ask('/callable', { body });
      expect(codeOf(answer)).toMatch(/^request\.invalid/);
      expect(answer.text).not.toContain('canary');
    }
    expect(codeOf(await ask('/nothing'))).toBe('function.not_found');
  });

  it('reads no more than a mebibyte of a body without end', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST /callable HTTP/1.1\r\nHost: h\r\njfwt: ${door.pass.token}\r\n`);
    socket.write('Transfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let i = 0; i < 17; i++) socket.write(chunk);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toContain('request.body_too_large');
    socket.destroy();
  });
});
