import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Outcome, runAgainst } from '../testing/run-against.ts';

const SHA = 'a'.repeat(64);
const SOURCE = { name: 'weather', recipient: 'https://mcp.example.com', hasToken: true, approved: [] };
const TOOLS = [
  {
    name: 'forecast',
    description: 'Tells\nthe weather.',
    inputSchema: { type: 'object' },
    sha256: SHA,
    state: 'new',
  },
  { name: 'sell', description: '\u001b[2JSells.', inputSchema: {}, sha256: SHA, state: 'changed' },
  { name: 'a.b', description: '', inputSchema: {}, sha256: SHA, state: 'new', fault: 'Odd name.' },
];

/** Answers everything with a source, and its inspection with tools. */
function against(words: readonly string[], input?: string): Promise<Outcome> {
  const answer = ({ method, url }: { method: string; url: string }, response: ServerResponse): void => {
    const list = url.endsWith('/sources') && method === 'GET';
    const body = list ? { sources: [SOURCE] } : { ...SOURCE, tools: TOOLS };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  return runAgainst(answer, ['mcp', ...words], input);
}

describe('mcp add', () => {
  it('takes the token from a pipe, never from the arguments', async () => {
    const { code, asked } = await against(
      ['add', 'weather', 'https://mcp.example.com/', '--token'],
      'secret\n',
    );
    expect(code).toBe(0);
    expect(asked).toEqual([
      'POST /api/v1/ai/sources {"name":"weather","url":"https://mcp.example.com/","token":"secret"}',
    ]);
    expect((await against(['add', 'weather', 'https://mcp.example.com/', '--token=secret'])).code).toBe(2);
  });

  it('sends none where none is asked for', async () => {
    const { asked, out } = await against(['add', 'weather', 'https://mcp.example.com/']);
    expect(asked[0]).not.toContain('token');
    expect(out).toContain('jellyfaas mcp approve weather');
  });
});

describe('mcp list', () => {
  it('says who gets what tools are called with', async () => {
    const { out } = await against(['list']);
    expect(out).toMatch(/weather +https:\/\/mcp\.example\.com +yes +none/);
    expect(out).toContain('outside this installation');
  });
});

describe('mcp approve', () => {
  it('approves nothing that nobody has read', async () => {
    const { code, err, asked } = await against(['approve', 'weather']);
    expect([code, asked.length]).toEqual([2, 1]);
    expect(err).toContain('forecast (new)\n  Tells\n  the weather.\n  {"type":"object"}');
    expect(err).toContain('sell (changed)');
    expect(err).toContain('a.b (cannot be offered: Odd name.)');
    expect(err).not.toContain('\u001b[2J');
  });

  it('approves by hash what was shown: all that can be offered, or those that were named', async () => {
    const all = await against(['approve', 'weather', '--yes']);
    expect(all.asked[1]).toBe(
      `PUT /api/v1/ai/sources/weather/approved {"approved":[{"name":"forecast","sha256":"${SHA}"},{"name":"sell","sha256":"${SHA}"}]}`,
    );
    const one = await against(['approve', 'weather', '--tool', 'forecast', '--yes', '--json']);
    expect(one.asked[1]).toContain('{"approved":[{"name":"forecast"');
    expect(one.asked[1]).not.toContain('sell');
    expect(one.err).toBe('');
  });

  it.each(['a.b', 'nothing'])('refuses %s, which cannot be offered', async (tool) => {
    const { code, asked } = await against(['approve', 'weather', '--tool', tool, '--yes']);
    expect([code, asked.length]).toEqual([2, 1]);
  });
});

describe('mcp remove', () => {
  it('forgets the server', async () => {
    const { asked, out } = await against(['remove', 'weather']);
    expect([asked, out]).toEqual([['DELETE /api/v1/ai/sources/weather '], 'Removed weather.\n']);
  });
});
