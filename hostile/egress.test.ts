import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** A function that may reach any public host tries everything that is not one. A bait on loopback counts who comes. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const platformPort = new URL(url).port;
let bait: Server;
let baitPort: number;
let visits = 0;
let open: Deployed;
let narrow: Deployed;
let neighbour: Neighbour;

beforeAll(async () => {
  bait = createServer((_, res) => {
    visits++;
    res.end('internal secret');
  });
  await new Promise<void>((done) => bait.listen(0, '127.0.0.1', done));
  baitPort = (bait.address() as AddressInfo).port;
  open = await owner.deploy(
    'egressopen',
    fixtureFiles('attacker', { shortname: 'egressopen', egress: ['*'] }),
  );
  narrow = await owner.deploy(
    'egressnarrow',
    fixtureFiles('attacker', { shortname: 'egressnarrow', egress: ['api.example.com'] }),
  );
  neighbour = await moveIn(owner);
});

afterEach(async () => {
  expect(visits).toBe(0);
  await neighbour.answers();
});

afterAll(() => void bait.close());

/** Speaks to the egress proxy as raw bytes; answers its status line. */
async function proxy(deployment: Deployed, request: string): Promise<string> {
  const response = await owner.call(deployment, '', {
    method: 'POST',
    body: `
import socket
def result():
    s = socket.create_connection(("127.0.0.1", 3128), 10)
    s.sendall(bytes(${JSON.stringify(request)}, "latin-1"))
    s.settimeout(10)
    try: return s.recv(4096).decode("latin-1").split("\\r\\n")[0]
    except OSError as e: return "closed"`,
  });
  expect(response.status).toBe(200);
  return (await response.json()) as string;
}

const PLACES = (): string[] => [
  `127.0.0.1:${baitPort}`,
  `localhost:${baitPort}`,
  `LOCALHOST:${baitPort}`,
  `localhost.:${baitPort}`,
  `foo.localhost:${baitPort}`,
  `127.1:${baitPort}`,
  `127.0.1:${baitPort}`,
  `2130706433:${baitPort}`,
  `0x7f000001:${baitPort}`,
  `0x7f.0.0.1:${baitPort}`,
  `0177.0.0.1:${baitPort}`,
  `0:${baitPort}`,
  `0.0.0.0:${baitPort}`,
  `[::1]:${baitPort}`,
  `[::]:${baitPort}`,
  `[::ffff:127.0.0.1]:${baitPort}`,
  `[::ffff:7f00:1]:${baitPort}`,
  `[64:ff9b::7f00:1]:${baitPort}`,
  `[2002:7f00:1::]:${baitPort}`,
  `[fe80::1%25lo]:${baitPort}`,
  `①②⑦.0.0.1:${baitPort}`,
  `127.0.0.1%00.example.com:${baitPort}`,
  `example.com@127.0.0.1:${baitPort}`,
  `127.0.0.1:${platformPort}`,
  `${hostname()}:${baitPort}`,
  '169.254.169.254:80',
  '[fd00:ec2::254]:80',
  'metadata.google.internal:80',
  '168.63.129.16:80',
  '10.0.0.1:443',
  '172.16.0.1:443',
  '192.168.0.1:443',
  '100.64.0.1:443',
  '198.18.0.1:443',
  '224.0.0.1:443',
  '255.255.255.255:443',
  'example.com:22',
  'example.com:25',
  'example.com:0',
  'example.com:65536',
  'example.com:http',
  ':443',
  `${'a'.repeat(300)}.com:443`,
];

describe('the egress proxy refuses', () => {
  it.each(PLACES().map((_, i) => i))('inner place no. %i by CONNECT', async (index) => {
    const place = PLACES()[index] ?? '';
    const ascii = [...Buffer.from(place)].map((byte) => String.fromCharCode(byte)).join('');
    expect(await proxy(open, `CONNECT ${ascii} HTTP/1.1\r\nhost: ${ascii}\r\n\r\n`)).not.toMatch(
      /^HTTP\/1\.1 2/,
    );
  });

  it('the same places in absolute form', async () => {
    for (const place of PLACES().filter((p) => /^[\x21-\x7e]+$/.test(p))) {
      const answer = await proxy(open, `GET http://${place}/ HTTP/1.1\r\nhost: ${place}\r\n\r\n`);
      expect(answer, place).not.toMatch(/^HTTP\/1\.1 2/);
    }
  });

  it('hosts that the function does not name', async () => {
    for (const place of [
      'example.com:443',
      'evil.api.example.com:443',
      'api.example.com.evil.org:443',
      'api.example.comx:443',
    ]) {
      expect(await proxy(narrow, `CONNECT ${place} HTTP/1.1\r\nhost: ${place}\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 403/,
      );
    }
  });

  it('requests that are not a proxy’s business', async () => {
    for (const request of [
      'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
      'garbage\r\n\r\n',
      `CONNECT ${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      'GET file:///etc/passwd HTTP/1.1\r\n\r\n',
      'GET gopher://example.com/ HTTP/1.1\r\n\r\n',
    ]) {
      expect(await proxy(open, request)).not.toMatch(/^HTTP\/1\.1 2/);
    }
  });
});
