import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Outcome, runAgainst } from '../testing/run-against.ts';

const ID = 'site_0000000000000000000a';
const SITE = {
  id: ID,
  createdAt: '2026-11-23T10:00:00Z',
  name: 'Pumps',
  allowedOrigins: ['https://example.com'],
  isOn: true,
  retentionDays: 90,
  persona: 'Kind.',
};
const SUMMARY = {
  id: 'conv_0000000000000000000a',
  reference: 'K7QF-2M9X-P4TZ',
  startedAt: '2026-11-23T10:00:00Z',
  messages: 1,
  unanswered: 1,
  firstQuestion: 'Which\u001b[2J valve?',
};
const REQUEST = {
  id: 'req_0000000000000000000a',
  kind: 'access',
  reference: 'K7QF-2M9X-P4TZ',
  state: 'running',
  receivedOn: '2026-11-23',
  dueOn: '2026-12-23',
  endedOn: null,
  receipt: null,
};
const ANSWERS: readonly (readonly [asked: RegExp, answer: object | string])[] = [
  [
    /^GET \/api\/v1\/aimee\/sites$/,
    { sites: [SITE, { ...SITE, id: 'site_2', name: 'Twin' }, { ...SITE, id: 'site_3', name: 'Twin' }] },
  ],
  [/snippet$/, { html: '<script></script>', policy: '<p>Policy</p>\n', fileUrl: 'https://f' }],
  [/export/, 'a,b\r\n'],
  [
    /requests$/,
    {
      ...REQUEST,
      requests: [REQUEST, { ...REQUEST, reference: null, state: 'done', endedOn: '2026-11-23' }],
    },
  ],
  [/copy$/, '{"format":"jellyfaas-conversation/1"}'],
  [/purge$/, { conversations: 3, receipt: 'a.b.c' }],
  [/statistics\/reset$/, { receipt: 'a.b.c' }],
  [/statistics/, { days: [], total: {} }],
  [
    /crawl$/,
    {
      status: 'completed',
      pages: 2,
      pagesDone: 2,
      removed: 1,
      failures: [{ url: 'https://e/x', code: 'c', message: 'Gone.' }],
    },
  ],
  [/conversations/, { conversations: [SUMMARY], next: null, searched: 1 }],
  [/./, SITE],
];

function against(words: readonly string[], input?: string): Promise<Outcome> {
  const answer = ({ method, url }: { method: string; url: string }, response: ServerResponse): void => {
    const body = ANSWERS.find(([asked]) => asked.test(`${method} ${url}`))?.[1];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  return runAgainst(answer, ['aimee', ...words], input);
}

describe('aimee', () => {
  it('finds a site by its name, unless two are called so', async () => {
    expect((await against(['snippet', 'Pumps'])).out).toBe('<script></script>\n');
    expect((await against(['snippet', ID, '--policy'])).out).toBe('<p>Policy</p>\n');
    for (const word of ['Twin', 'missing']) {
      const { code, asked } = await against(['snippet', word]);
      expect([code, asked.length]).toEqual([2, 1]);
    }
  });

  it('changes what it is told to and leaves the other settings', async () => {
    const { asked } = await against(['sites', 'set', 'Pumps', '{"retentionDays":30}']);
    const [, path = '', body = ''] = /^PUT (\S+) (.*)$/.exec(asked[1] ?? '') ?? [];
    expect(path).toBe(`/api/v1/aimee/sites/${ID}`);
    expect(JSON.parse(body)).toEqual({
      name: 'Pumps',
      allowedOrigins: ['https://example.com'],
      isOn: true,
      retentionDays: 30,
      persona: 'Kind.',
    });
    expect((await against(['sites', 'set', 'Pumps', 'no json'])).code).toBe(2);
  });

  it.each([
    [['--all'], '{"scope":"all"}'],
    [
      ['--from', '2026-01-01', '--to', '2026-01-31'],
      '{"scope":"range","from":"2026-01-01","to":"2026-01-31"}',
    ],
    [['--one', SUMMARY.id], `{"scope":"one","conversation":"${SUMMARY.id}"}`],
    [['--reference', SUMMARY.reference], `{"scope":"reference","reference":"${SUMMARY.reference}"}`],
  ])('purges %j and shows the receipt', async (options, body) => {
    const { out, asked } = await against(['purge', 'Pumps', ...options]);
    expect(asked[1]).toBe(`POST /api/v1/aimee/sites/${ID}/purge ${body}`);
    expect(out).toContain('3 conversation(s) are destroyed');
    expect(out).toContain('a.b.c');
  });

  it.each([[[]], [['--all', '--one', 'x']], [['--from', '2026-01-01']]])(
    'purges nothing for %j',
    async (options) => {
      const { code, asked } = await against(['purge', 'Pumps', ...options]);
      expect([code, asked]).toEqual([2, []]);
    },
  );

  it('lists what was said, and no word of a visitor moves the terminal', async () => {
    const { out, asked } = await against(['conversations', 'Pumps', '--unanswered', '--from', '2026-11-01']);
    expect(asked[1]).toContain('limit=50&answered=no&from=2026-11-01');
    expect(out).toContain('K7QF-2M9X-P4TZ');
    expect(out).not.toContain('\u001b');
  });

  it('searches for what comes through a pipe, so that no other user of the machine reads it', async () => {
    const { asked } = await against(['conversations', 'Pumps', '--search', '-'], 'my name');
    expect(asked[1]).toContain('"text":"my name"');
  });

  it('resets statistics apart, exports, and tells what a crawl did not read', async () => {
    expect((await against(['stats', 'Pumps', '--reset'])).asked[1]).toContain('/statistics/reset');
    expect((await against(['export', 'Pumps', '--format', 'json'])).asked[1]).toContain('export?format=json');
    const { out, err } = await against(['knowledge', 'crawl', 'Pumps', '--sitemap', 'https://e/s.xml']);
    expect(out).toContain('1 of 2 pages are in, 1 are gone.');
    expect(err).toContain('https://e/x: Gone.');
  });

  it('answers visitors by the reference that the chat has shown them', async () => {
    const listed = (await against(['requests', 'Pumps'])).out;
    expect(listed).toContain('2026-12-23');
    expect(listed).toContain('gone');
    const asked = await against(['requests', 'Pumps', '--right', 'access', '--reference', 'K7QF', '--later']);
    expect(asked.asked.at(-1)).toContain('{"kind":"access","reference":"K7QF","carryOut":false}');
    expect(asked.out).toContain('Due on 2026-12-23.');
    expect((await against(['requests', 'Pumps', '--right', 'erasure'])).code).toBe(2);
    expect((await against(['requests', 'Pumps', '--copy', REQUEST.id])).out).toContain(
      'jellyfaas-conversation/1',
    );
  });
});
