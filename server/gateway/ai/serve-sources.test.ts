import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MEMBER_KEY, OWNER_KEY, member } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { FORECAST } from './testing/fake-sources.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const PATH = '/api/v1/ai/sources';
const FORM = { name: 'weather', url: 'https://mcp.example.com/mcp?key=1', token: 'secret' };

/** As the member, who has no source from the start. */
function send(method: string, path: string, body?: object, key = MEMBER_KEY): Promise<Response> {
  const headers = { 'x-jf-apikey': key, ...(body && { 'content-type': 'application/json' }) };
  return running.fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

describe('/api/v1/ai/sources', () => {
  it('adds a source and says who gets what, and neither token nor path', async () => {
    const source = {
      name: 'weather',
      recipient: 'https://mcp.example.com',
      hasToken: true,
      approved: [],
    };
    const added = await send('POST', PATH, FORM);
    expect([added.status, await json(added)]).toEqual([201, source]);
    expect(await json(send('GET', PATH))).toEqual({ sources: [source] });
  });

  it('shows definitions with their hashes, and approves those', async () => {
    await send('POST', PATH, FORM);
    const { fault: _, ...shown } = FORECAST;
    expect(await json(send('GET', `${PATH}/weather`))).toMatchObject({ name: 'weather', tools: [shown] });
    const approved = [{ name: FORECAST.name, sha256: FORECAST.sha256 }];
    expect(await json(send('PUT', `${PATH}/weather/approved`, { approved }))).toMatchObject({ approved });
  });

  it('shows nothing of the sources of others', async () => {
    await send('POST', PATH, FORM);
    expect((await send('GET', `${PATH}/weather`, undefined, OWNER_KEY)).status).toBe(404);
    expect((await send('PUT', `${PATH}/weather/approved`, { approved: [] }, OWNER_KEY)).status).toBe(404);
    expect((await send('DELETE', `${PATH}/weather`, undefined, OWNER_KEY)).status).toBe(404);
    expect((await send('DELETE', `${PATH}/weather`)).status).toBe(204);
    expect((await send('DELETE', `${PATH}/weather`)).status).toBe(404);
  });

  it.each([
    { ...FORM, name: 'Weather' },
    { ...FORM, name: 'a__b' },
    { ...FORM, name: 'x'.repeat(21) },
    { ...FORM, token: 'two\nlines' },
    { ...FORM, url: `https://${'x'.repeat(2048)}` },
    { ...FORM, extra: 1 },
  ])('refuses %j', async (form) => {
    expect((await send('POST', PATH, form)).status).toBe(400);
  });

  it('is changed with a key only: a token may be in more hands', async () => {
    const response = await fetch(`${running.url}${PATH}`, {
      method: 'POST',
      headers: { jfwt: `token:${MEMBER_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(FORM),
    });
    expect(response.status).toBe(401);
  });

  it('takes a place among the questions while a server is asked for its tools', async () => {
    await running.gateway.close(1000);
    running = await startGateway({ limits: { queriesPerAccountMax: 0 } });
    expect((await send('GET', `${PATH}/weather`)).status).toBe(429);
  });
});

describe('a question', () => {
  const ask = (body: object, headers: Record<string, string>): Promise<Response> =>
    fetch(`${running.url}/api/v1/ai/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ question: 'What?', ...body }),
    });

  it('brings the account key along with the sources that it names, and only then', async () => {
    await ask({ sources: ['weather'] }, { jfwt: `token:${MEMBER_KEY}` });
    await ask({ sources: ['weather'] }, { 'x-jf-apikey': MEMBER_KEY });
    await ask({}, { 'x-jf-apikey': MEMBER_KEY });
    const [byToken, byKey, without] = running.fakes.ai.asked;
    expect(byToken?.sources).toMatchObject({
      names: ['weather'],
      holder: { accountId: member.accountId },
    });
    expect(byKey?.sources?.holder.accountKey.reveal()).toEqual(byToken?.sources?.holder.accountKey.reveal());
    expect(without).not.toHaveProperty('sources');
  });

  it('names at most 8 sources', async () => {
    const sources = Array.from({ length: 9 }, (_, at) => `s${at}`);
    expect((await ask({ sources }, { 'x-jf-apikey': MEMBER_KEY })).status).toBe(400);
  });
});
