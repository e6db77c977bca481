import { expect, it } from 'vitest';
import { runAgainst } from '../testing/run-against.ts';

it('portal prints the link, and nothing else to be piped', async () => {
  const link = { url: 'https://faas.example.org/#link=abc', expiresAt: '2026-11-23T10:10:00Z' };
  const { code, asked, out } = await runAgainst(
    (_request, response) => {
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(link));
    },
    ['portal'],
  );
  expect([code, out.trim()]).toEqual([0, link.url]);
  expect(asked).toEqual(['POST /api/v1/sign-in-links ']);
});
