import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { hostNetwork } from '../sandbox/egress-guard.ts';
import { CERTIFICATE, KEY } from '../tool-sources/testing/certificate.ts';
import { RECEPTIONS_PATH, createTransmit } from './transmissions.ts';

const servers: Server[] = [];
const refusals: unknown[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  refusals.length = 0;
});

async function receiver(answer: RequestListener, server: Server = createServer()): Promise<string> {
  servers.push(server.on('request', answer));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Sending {
  readonly allowed?: readonly string[];
  readonly copy?: Readable;
  readonly deadlineMs?: number;
}

/** The code of the refusal, or what was answered. */
async function sent(
  address: string,
  { allowed = ['127.0.0.1'], copy, deadlineMs }: Sending = {},
): Promise<unknown> {
  const transmit = createTransmit({
    network: hostNetwork,
    allowedHosts: allowed,
    events: { emit: (_name, fields) => void refusals.push(fields) },
    ...(deadlineMs !== undefined && { deadlineMs }),
  });
  const bytes = copy ?? Readable.from([Buffer.from('the copy')]);
  const { signal } = new AbortController();
  const outcome = await transmit({ address, token: 'rcv_token' }, bytes, signal).catch(
    (thrown: { code: string }) => thrown.code,
  );
  expect(bytes.destroyed).toBe(true);
  return outcome;
}

const TAKEN = { taken: { site: 1 }, leftCount: 0, receipt: 'a.b.c' };

const answering =
  (body: string, status = 200): RequestListener =>
  (request, response) => {
    request.resume().on('end', () => response.writeHead(status).end(body));
  };

describe('a copy that is sent', () => {
  it('arrives whole, with the token and nothing of the sender', async () => {
    const arrived: string[] = [];
    const host = await receiver((request, response) => {
      void text(request).then((body) => {
        const { authorization, cookie, 'x-jf-apikey': key } = request.headers;
        arrived.push(
          `${request.method} ${request.url}`,
          String(authorization),
          body,
          `${cookie} ${String(key)}`,
        );
        response.end(JSON.stringify(TAKEN));
      });
    });
    expect(await sent(`http://${host}${RECEPTIONS_PATH}`)).toEqual(TAKEN);
    expect(arrived).toEqual([
      `POST ${RECEPTIONS_PATH}`,
      'Bearer rcv_token',
      'the copy',
      'undefined undefined',
    ]);
  });

  it.each([
    'http://example.com/api/v1/rights/receptions',
    'https://127.0.0.1/api/v1/rights/receptions',
    'https://[::1]/api/v1/rights/receptions',
    'https://2130706433/api/v1/rights/receptions',
    'https://169.254.169.254/api/v1/rights/receptions',
    'https://10.0.0.1/api/v1/rights/receptions',
    'https://localhost/api/v1/rights/receptions',
    'https://example.com:8443/api/v1/rights/receptions',
    'https://user:password@example.com/api/v1/rights/receptions',
    'https://example.com/api/v1/rights/receptions?to=other',
    'https://example.com/api/v1/rights/receptions#there',
    'https://example.com/latest/meta-data',
    'file:///api/v1/rights/receptions',
    'gopher://example.com/api/v1/rights/receptions',
    'nonsense',
  ])('goes nowhere but to a public receiver over TLS: not to %s', async (address) => {
    expect(await sent(address, { allowed: [] })).toBe('rights.receiver_address');
  });

  it('goes to no address of thousands of characters', async () => {
    const address = `https://example.com/${'a'.repeat(3000)}${RECEPTIONS_PATH}`;
    expect(await sent(address, { allowed: ['example.com'] })).toBe('rights.receiver_address');
  });

  it('is not sent where only another port is allowed', async () => {
    const host = await receiver(answering(JSON.stringify(TAKEN)));
    expect(await sent(`http://${host}${RECEPTIONS_PATH}`, { allowed: ['127.0.0.1:1'] })).toBe(
      'rights.receiver_address',
    );
  });
});

describe('a hostile receiver', () => {
  it.each([301, 302, 303, 307, 308])('cannot send the copy elsewhere by status %i', async (status) => {
    let elsewhere = 0;
    const other = await receiver((_request, response) => {
      elsewhere++;
      response.end(JSON.stringify(TAKEN));
    });
    const host = await receiver((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(status, { location: `http://${other}${RECEPTIONS_PATH}` }).end();
      });
    });
    expect(await sent(`http://${host}${RECEPTIONS_PATH}`)).toBe('rights.receiver_redirected');
    expect(elsewhere).toBe(0);
  });

  it.each([
    ['a huge answer', JSON.stringify({ ...TAKEN, more: 'x'.repeat(10_000_000) }), 'rights.receiver_answer'],
    ['no JSON', '<html>', 'rights.receiver_answer'],
    ['another form', '{"taken":{"site":-1},"leftCount":0,"receipt":""}', 'rights.receiver_answer'],
    ['nothing', '', 'rights.receiver_answer'],
  ])('gains nothing by %s', async (_what, body, code) => {
    const host = await receiver(answering(body));
    expect(await sent(`http://${host}${RECEPTIONS_PATH}`)).toBe(code);
  });

  it('that refuses is told of by its status alone', async () => {
    const host = await receiver(answering('{"detail":"<script>"}', 403));
    expect(await sent(`http://${host}${RECEPTIONS_PATH}`)).toBe('rights.receiver_refused');
  });

  it('that breaks off, takes nothing or never answers holds the copy no longer than the deadline', async () => {
    const broken = await receiver((request) => request.socket.destroy());
    expect(await sent(`http://${broken}${RECEPTIONS_PATH}`)).toBe('rights.receiver_unreachable');
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(64 * 1024);
      })(),
    );
    const slow = await receiver((request) => void request.pause());
    const address = `http://${slow}${RECEPTIONS_PATH}`;
    expect(await sent(address, { copy: endless, deadlineMs: 100 })).toBe('rights.receiver_unreachable');
    const silent = await receiver((request) => void request.resume());
    expect(await sent(`http://${silent}${RECEPTIONS_PATH}`, { deadlineMs: 100 })).toBe(
      'rights.receiver_unreachable',
    );
  });

  it('is not believed to be somebody else: a certificate that nobody vouches for ends it', async () => {
    let asked = 0;
    const host = await receiver(
      () => asked++,
      createSecureServer({ cert: CERTIFICATE, key: KEY }) as unknown as Server,
    );
    expect(await sent(`https://${host}${RECEPTIONS_PATH}`)).toBe('rights.receiver_unreachable');
    expect(asked).toBe(0);
  });

  it('gets no whole copy when its making fails', async () => {
    let isWhole = false;
    const host = await receiver((request) => void request.resume().on('end', () => (isWhole = true)));
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('a part');
        throw new Error('a store failed');
      })(),
    );
    expect(await sent(`http://${host}${RECEPTIONS_PATH}`, { copy: failing })).toBe(
      'rights.receiver_unreachable',
    );
    expect(isWhole).toBe(false);
  });
});
