import { describe, expect, it } from 'vitest';
import { type Outcome, runAgainst } from '../testing/run-against.ts';

const ANSWER = { finish: 'complete', platform: 'p', model: 'm', retention: 'none', trace: [] };

/** Runs a command against a server that answers everything with these events. */
async function against(
  events: readonly object[],
  words: readonly string[],
): Promise<Omit<Outcome, 'asked'> & { asked: string }> {
  const { asked, ...outcome } = await runAgainst((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  }, words);
  return { ...outcome, asked: asked.join('\n') };
}

describe('ask', () => {
  it('lets neither answers nor steps steer the terminal', async () => {
    const escape = '\u001b[2J\u202e';
    const step = { type: 'tool-call', id: '1', function: `greeter${escape}`, arguments: { a: escape } };
    const events = [
      step,
      { type: 'text', text: `hello${escape}` },
      { type: 'answer', answer: `hello${escape}`, ...ANSWER },
      { type: 'done' },
    ];
    for (const option of ['--stream', '--no-stream', '--json', '--trace']) {
      const { out, err } = await against(events, ['ask', 'hi', option]);
      expect(out).toContain('hello');
      expect(out + err).not.toContain('\u001b[2J');
      expect(out + err).not.toContain('\u202e');
    }
  });

  it('says when an answer is not complete, and where it was kept', async () => {
    const answer = { type: 'answer', answer: 'x', ...ANSWER, finish: 'length', retention: 'provider' };
    const { code, err } = await against([answer, { type: 'done' }], ['ask', 'hi']);
    expect([code, err]).toEqual([0, expect.stringMatching(/cut.*\n.*p may keep/)]);
  });

  it('fails when the stream is cut, or ends with an error', async () => {
    const cut = await against([{ type: 'text', text: 'half' }], ['ask', 'hi', '--stream']);
    expect([cut.code, cut.err]).toEqual([1, expect.stringContaining('cut')]);
    const error = { type: 'error', code: 'models.none_configured', detail: 'There is none.', status: 409 };
    const failed = await against([error, { type: 'done' }], ['ask', 'hi', '--json']);
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('models.none_configured')]);
  });

  it('says who else gets arguments, and which tools were withheld', async () => {
    const events = [
      { type: 'tools-withheld', tools: [{ source: 'weather', tool: 'sell', reason: 'changed' }] },
      { type: 'tool-call', id: '1', function: 'weather__forecast', source: 'weather', arguments: {} },
      { type: 'tool-result', id: '1', ok: true, status: null, result: 'Rain.' },
      { type: 'answer', answer: 'x', ...ANSWER },
      { type: 'done' },
    ];
    const { err, asked } = await against(events, ['ask', 'hi', '--source', 'weather']);
    expect(asked).toContain('"sources":["weather"]');
    expect(err).toBe(
      '✗ not approved as they are now, so not offered: weather/sell (changed)\n' +
        '→ weather__forecast (outside: weather)\n← answered\n',
    );
  });

  it('offers a library or named functions, not both', async () => {
    expect((await against([], ['ask', 'hi', '--library', '--function', 'greeter'])).code).toBe(2);
  });
});

describe('model pull', () => {
  const progress = { type: 'progress', name: 'small', bytes: 1_048_576, totalBytes: 2_097_152 };

  it('shows how far it is, and what came', async () => {
    const whole = { ...progress, bytes: 2_097_152 };
    const pulled = await against([progress, whole, { type: 'done' }], ['model', 'pull', 'small']);
    expect(pulled.asked).toBe('POST /api/v1/models/pull {"name":"small"}');
    expect(pulled.err).toMatch(/█{15}░{15} 50 % of 2\.0 MiB.*100 %/s);
    expect([pulled.code, pulled.out]).toEqual([0, 'small is here: 2.0 MiB.\n']);
  });

  it('fetches all models that are configured, unless one is named', async () => {
    const other = { ...progress, name: 'minilm', bytes: 2_097_152 };
    const pulled = await against([progress, other, { type: 'done' }], ['model', 'pull', '--json']);
    expect(pulled.asked).toBe('POST /api/v1/models/pull {}');
    const models = [progress, other].map(({ name, bytes }) => ({ name, bytes }));
    expect(JSON.parse(pulled.out)).toEqual({ models });
  });

  it('fails when the stream is cut, or ends with an error', async () => {
    expect((await against([progress], ['model', 'pull'])).code).toBe(1);
    const error = { type: 'error', code: 'models.pull_checksum', detail: 'The checksum is wrong.' };
    const failed = await against([progress, error], ['model', 'pull']);
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('The checksum is wrong.')]);
  });
});
