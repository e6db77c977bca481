import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Plane, bodyOf, createPlane, echoOf } from './testing/plane.ts';

let plane: Plane;
let base: string;
beforeAll(async () => {
  plane = await createPlane();
  base = plane.base;
});
afterAll(() => plane.close());

const CLOSE = 'Host: api.example\r\njfwt: acct_alice\r\nConnection: close\r\n';

describe('a request', () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    it(`reaches the function as ${method}`, async () => {
      const answer = await plane.exchange(`${method} ${base}?do=echo HTTP/1.1\r\n${CLOSE}\r\n`);
      expect(echoOf(answer)).toMatchObject({ method, url: '/?do=echo', body: '' });
    });
  }

  for (const path of [
    '/?do=echo',
    '/a/b/?do=echo&x=1&x=2&y=',
    '//double//slash?do=echo',
    '/%2f%2E%2e/%00/%zz?do=echo',
    '/../../etc/passwd?do=echo',
    '/./.?do=echo',
    '/a;b=c,d|e\\f"g{h}[i]`j^k?do=echo&q=a?b/c',
    '/%C3%BCmlaut?do=echo&%E4=%F6',
    `/${'long/'.repeat(1000)}?do=echo`,
    '?do=echo&empty=&=&&',
  ]) {
    it(`keeps the raw target ${path.slice(0, 50)}`, async () => {
      const answer = await plane.exchange(`GET ${base}${path} HTTP/1.1\r\n${CLOSE}\r\n`);
      expect(echoOf(answer).url).toBe(path.startsWith('?') ? `/${path}` : path);
    });
  }

  it('keeps fields in order, spelling and number, and adds none', async () => {
    const fields = [
      'X-ODD_name!',
      'v',
      'Accept',
      '*/*',
      'x-dup',
      '1',
      'X-Dup',
      '2',
      'x-empty',
      '',
      'x-latin',
      'caf\u00e9',
    ];
    let text = '';
    for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
    const answer = await plane.exchange(`GET ${base}?do=echo HTTP/1.1\r\n${CLOSE}${text}\r\n`);
    expect(echoOf(answer).rawHeaders).toEqual(['Host', 'api.example', ...fields]);
  });

  it('loses hop-by-hop fields, those named in Connection, and every credential', async () => {
    const dropped =
      'Connection: close, X-Named\r\nx-named: 1\r\nKeep-Alive: 1\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\n' +
      'HTTP2-Settings: AAA\r\nProxy-Authorization: p\r\nProxy-Connection: p\r\nExpect: 100-continue\r\n' +
      'P48WT: t\r\nX-JF-APIKEY: k\r\nx-p48-apikey: k\r\nx-kept: yes\r\n';
    const answer = await plane.exchange(
      `GET ${base}?do=echo HTTP/1.1\r\nHost: h\r\nJfwt: acct_alice\r\n${dropped}\r\n`,
    );
    expect(echoOf(answer.replace('HTTP/1.1 100 Continue\r\n\r\n', '')).rawHeaders).toEqual([
      'Host',
      'h',
      'x-kept',
      'yes',
    ]);
  });

  it("keeps the caller's cookies but for those of the portal", async () => {
    const cookies =
      'Cookie: a=1; __Host-jellyfaas=secret; b=2\r\ncookie: __Secure-jellyfaas-sign-in=x\r\ncookie: c=3\r\n';
    const answer = await plane.exchange(`GET ${base}?do=echo HTTP/1.1\r\n${CLOSE}${cookies}\r\n`);
    expect(echoOf(answer).rawHeaders).toEqual(['Host', 'api.example', 'Cookie', 'a=1; b=2', 'cookie', 'c=3']);
  });

  it('may carry its token in the older header', async () => {
    const answer = await plane.exchange(
      `GET ${base} HTTP/1.1\r\nHost: h\r\np48wt: acct_alice\r\nConnection: close\r\n\r\n`,
    );
    expect(bodyOf(answer)).toBe('hello');
  });

  it('keeps a body with a length, in chunks, and none with a JSON type', async () => {
    const sized = `POST ${base}?do=echo HTTP/1.1\r\n${CLOSE}Content-Length: 5\r\n\r\na\0\u00ff\r\n`;
    expect(echoOf(await plane.exchange(sized))).toMatchObject({ body: 'a\0\u00ff\r\n' });
    const chunked = `PUT ${base}?do=echo HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nx-trailer: 1\r\n\r\n`;
    expect(echoOf(await plane.exchange(chunked))).toMatchObject({ body: 'abcd', trailers: [] });
    const empty = `POST ${base}?do=echo HTTP/1.1\r\n${CLOSE}Content-Type: application/json\r\nContent-Length: 0\r\n\r\n`;
    expect(echoOf(await plane.exchange(empty))).toMatchObject({ body: '' });
    const withGet = `GET ${base}?do=echo HTTP/1.1\r\n${CLOSE}Content-Length: 2\r\n\r\nhi`;
    expect(echoOf(await plane.exchange(withGet))).toMatchObject({ body: 'hi' });
  });

  it('is continued when it asks for that', async () => {
    const socket = plane.connect();
    socket.write(
      `POST ${base}?do=echo HTTP/1.1\r\n${CLOSE}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    socket.end('hi');
    socket.destroy();
  });

  it('of several on one connection each gets its own answer, in order', async () => {
    const one = `GET ${base}?do=status&code=201 HTTP/1.1\r\nHost: h\r\njfwt: acct_alice\r\n\r\n`;
    const two = `GET ${base}?do=status&code=202 HTTP/1.1\r\n${CLOSE}\r\n`;
    expect((await plane.exchange(one + two)).match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 201',
      'HTTP/1.1 202',
    ]);
  });
});

describe('an answer', () => {
  it('keeps status, reason, fields and their repetition, but for those of the hop', async () => {
    const answer = await plane.exchange(`GET ${base}?do=multi HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(answer).toMatch(
      /^HTTP\/1\.1 200 Fine\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-MiXeD: v\u00e9\r\n/,
    );
    expect(answer).not.toMatch(/x-hop/i);
    // A function that sets the portal's cookie would sign its callers in as somebody else.
    expect(answer).not.toMatch(/jellyfaas/i);
  });

  for (const code of [200, 201, 204, 205, 302, 304, 400, 404, 418, 500, 503, 599]) {
    it(`keeps the function's own status ${code}`, async () => {
      const answer = await plane.exchange(
        `GET ${base}?do=status&code=${code}&text= HTTP/1.1\r\n${CLOSE}\r\n`,
      );
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `));
      expect(answer).toContain('x-from: function');
      expect(bodyOf(answer)).toBe('');
    });
  }

  it('to HEAD has the fields and no body', async () => {
    const answer = await plane.exchange(`HEAD ${base}?do=hello HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(answer).toContain('content-length: 5');
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });

  it('to an HTTP/1.0 client is not chunked', async () => {
    const answer = await plane.exchange(
      `GET ${base}?do=status&code=200&text=plain HTTP/1.0\r\nHost: h\r\njfwt: acct_alice\r\n\r\n`,
    );
    expect(answer).not.toMatch(/chunked/i);
    expect(bodyOf(answer)).toBe('plain');
  });

  it('loses its trailers', async () => {
    const answer = await plane.exchange(`GET ${base}?do=trailers HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(bodyOf(answer)).toBe('body');
    expect(answer).not.toContain('x-sum');
  });

  it('head arrives before there is a body', async () => {
    const socket = plane.connect();
    socket.write(`GET ${base}?do=headOnly HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(String((await once(socket, 'data'))[0])).toContain('x-early: yes');
    socket.destroy();
  });

  it('gives its first bytes on before it is complete, however long after the head they come', async () => {
    const socket = plane.connect();
    socket.write(`POST ${base}?do=headOnly HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toContain('x-early: yes');
    socket.write('5\r\nfirst\r\n');
    expect(String((await once(socket, 'data'))[0])).toContain('first');
    socket.destroy();
  });

  it('streams while the request is still streaming', async () => {
    const socket = plane.connect();
    socket.setEncoding('latin1');
    socket.write(`POST ${base}?do=stream HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n`);
    let seen = '';
    socket.on('data', (text: string) => (seen += text));
    const until = async (text: string) => {
      while (!seen.includes(text)) await once(socket, 'data');
    };
    await until('one');
    socket.write('3\r\ntwo\r\n');
    await until('two');
    socket.write('0\r\n\r\n');
    await until('end');
    await once(socket, 'close');
  });

  it('waits for a slow reader instead of piling up in memory', async () => {
    const reading = request({
      port: plane.port,
      path: `${base}?do=flood&chunks=1600`,
      headers: { jfwt: 'acct_alice' },
    });
    reading.end();
    const [response] = await once(reading, 'response');
    // Nobody reads yet; what the function got rid of is what the buffers on the way hold.
    const flooded = async (): Promise<number> =>
      Number(bodyOf(await plane.exchange(`GET ${base}?do=flooded HTTP/1.1\r\n${CLOSE}\r\n`)));
    let before = await flooded();
    for (let now = await flooded(); now !== before; now = await flooded()) before = now;
    expect(before).toBeLessThan(800);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(1600 * 65_536);
  });

  for (const size of [256, 16_384, 16_385, 3_000_000]) {
    it(`of ${size} bytes comes back byte for byte`, async () => {
      const sent = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) % 256));
      const posting = request({
        port: plane.port,
        method: 'POST',
        path: `${base}?do=reflect`,
        headers: { jfwt: 'acct_alice' },
      });
      posting.end(sent);
      const [response] = await once(posting, 'response');
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    });
  }
});
