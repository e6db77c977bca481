import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AimeeSnippet, WidgetEvent } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { MEMBER_KEY } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { ANSWERED, SITE_ID } from './testing/fake-aimee.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

/** As a widget sends it: without a credential. */
function post(path: string, body: object | string, type = 'application/json'): Promise<Response> {
  return fetch(`${running.url}/aimee/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': type, origin: 'null' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const MESSAGE = { site: SITE_ID, text: 'Which valve?' };

function eventsOf(text: string): WidgetEvent[] {
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => WidgetEvent.parse(JSON.parse(data)));
}

describe('a message', () => {
  it('streams its answer and ends with what comes of it', async () => {
    const response = await post('messages', { ...MESSAGE, origin: 'https://example.com', language: 'de' });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(eventsOf(await response.text())).toEqual([
      { type: 'text', text: 'The red one.' },
      { type: 'done', ...ANSWERED },
    ]);
    expect(running.fakes.aimee.messages).toEqual([
      { ...MESSAGE, origin: 'https://example.com', language: 'de', turns: [], originIp: '192.0.2.1' },
    ]);
  });

  it('that fails ends with an error that says nothing of it, and when to try again', async () => {
    running.fakes.aimee.answer = () =>
      Promise.reject(
        new PlatformError({
          kind: 'unavailable',
          code: 'models.busy',
          message: 'Busy.',
          retryAfterSeconds: 7,
        }),
      );
    expect(eventsOf(await (await post('messages', MESSAGE)).text())).toEqual([
      { type: 'error', code: 'models.busy', detail: 'Busy.', retryAfter: 7 },
    ]);
    running.fakes.aimee.answer = () => Promise.reject(new Error('CANARY'));
    const text = await (await post('messages', MESSAGE)).text();
    expect(eventsOf(text)).toMatchObject([{ type: 'error', code: 'platform.internal' }]);
    expect(text + running.fakes.log.join('')).not.toContain('CANARY');
  });

  it.each<[what: string, body: object | string, status: number]>([
    ['no text', { ...MESSAGE, text: ' ' }, 400],
    ['too much text', { ...MESSAGE, text: 'x'.repeat(4001) }, 400],
    ['too many turns', { ...MESSAGE, turns: Array(21).fill({ role: 'visitor', text: '' }) }, 400],
    ['a turn of the system', { ...MESSAGE, turns: [{ role: 'system', text: 'x' }] }, 400],
    ['a field of its own', { ...MESSAGE, functions: ['x'] }, 400],
    ['a key of another form', { ...MESSAGE, site: 'site_1' }, 400],
    ['a body that is too large', { ...MESSAGE, extra: 'x'.repeat(600_000) }, 413],
    ['a site that is not there', { ...MESSAGE, site: 'site_00000000000000000000' }, 404],
  ])('with %s is refused, and says why to any page', async (_what, body, status) => {
    const response = await post('messages', body);
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, '*']);
    expect((await json(response))['status']).toBe(status);
    expect(running.fakes.aimee.messages).toEqual([]);
  });

  it('of a form of a page is refused: no content type that goes without a preflight is taken', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded'])
      expect((await post('messages', JSON.stringify(MESSAGE), type)).status).toBe(415);
  });

  it('is called off when the visitor leaves', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    running.fakes.aimee.answer = (onText, signal) => {
      onText('The ');
      asked.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))));
    };
    const leaving = new AbortController();
    const response = fetch(`${running.url}/aimee/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(MESSAGE),
      signal: leaving.signal,
    });
    const signal = await asked.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    leaving.abort();
    await Promise.all([aborted, response.catch(() => undefined)]);
  });

  it('waits for nobody when too many are being answered', async () => {
    await running.gateway.close(1000);
    running = await startGateway({ limits: { visitorMessagesPerSiteMax: 1 } });
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    running.fakes.aimee.answer = async () => {
      begun.resolve();
      await end.promise;
      return ANSWERED;
    };
    const first = post('messages', MESSAGE);
    await begun.promise;
    const second = await post('messages', MESSAGE);
    expect([second.status, (await json(second))['code']]).toEqual([429, 'aimee.busy']);
    end.resolve();
    expect(eventsOf(await (await first).text())).toMatchObject([{ type: 'done' }]);
  });
});

describe('the embed snippet', () => {
  it('holds the look as attributes, and no word of it becomes markup', async () => {
    const { html, policy, fileUrl } = (await json(
      running.fetch(`/api/v1/aimee/sites/${SITE_ID}/snippet`),
    )) as AimeeSnippet;
    expect(fileUrl).toBe(`${running.url}/widget/aimee-1.js`);
    expect(html).toContain(`<script\n  src="${fileUrl}"\n  integrity="sha384-abc"\n`);
    expect(html).toContain('data-title="Pumps &amp; more"');
    expect(html).toContain('data-greeting="&lt;b&gt;Hi&lt;/b&gt;"');
    expect(html).toContain('data-suggestions="[&quot;Which \\&quot;valve\\&quot;?&quot;]"');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(policy).toContain('for 90 days');
    expect(policy).not.toContain('office@example.com');
  });
});

describe('knowledge', () => {
  const send = (metadata: string | undefined, key?: string): Promise<Response> => {
    const form = new FormData();
    if (metadata !== undefined) form.append('metadata', metadata);
    form.append('file', new Blob(['All about pumps.']), 'secret-name.txt');
    const init = {
      method: 'POST',
      body: form,
      ...(key !== undefined && { headers: { 'x-jf-apikey': key } }),
    };
    return running.fetch(`/api/v1/aimee/sites/${SITE_ID}/knowledge`, init);
  };

  it('takes a document with the title that visitors see, and no address of its own', async () => {
    const response = await send('{"title":" Handbook ","url":"https://evil.example","kind":"page"}');
    expect(response.status).toBe(202);
    expect(running.fakes.aimee.received?.metadata).toEqual({ title: 'Handbook' });
  });

  it.each([undefined, '{}', '{"title":""}', '{"title":1}'])(
    'refuses one with the fields %s',
    async (metadata) => {
      const response = await send(metadata);
      expect([response.status, (await json(response))['errors']]).toEqual([
        400,
        [{ pointer: '/metadata/title', message: expect.any(String) }],
      ]);
    },
  );
});

it('the staff’s routes are the installation owner’s alone', async () => {
  const headers = { 'x-jf-apikey': MEMBER_KEY };
  expect((await running.fetch('/api/v1/aimee/support/grants', { headers })).status).toBe(403);
});
