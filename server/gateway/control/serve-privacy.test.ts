import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeContract } from '../testing/fakes.ts';
import { type RunningGateway, startGateway } from '../testing/start.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

it.each([
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html', fakeContract.page.html],
  ['application/ld+json', 'application/ld+json', fakeContract.dataMap],
  ['text/markdown', 'text/markdown', fakeContract.record],
  ['*/*', 'application/json', JSON.stringify(fakeContract.signed)],
])('the contract is given in the form that is asked for: %s', async (accept, type, body) => {
  const response = await fetch(`${running.url}/.well-known/privacy-contract`, { headers: { accept } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
  expect(response.headers.get('vary')).toBe('accept');
  expect(response.headers.get('set-cookie')).toBeNull();
  expect(await response.text()).toBe(body);
});

it('the page of the contract may load nothing but its own style', async () => {
  const headers = { accept: 'text/html' };
  const response = await fetch(`${running.url}/.well-known/privacy-contract`, { headers });
  expect(response.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src ${fakeContract.page.styleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
});
