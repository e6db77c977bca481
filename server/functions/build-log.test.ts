import { describe, expect, it } from 'vitest';
import { createBuildLog } from './build-log.ts';
import type { BuildEvent } from './functions.ts';

const never = new AbortController().signal;

async function drain(events: AsyncIterable<BuildEvent>): Promise<BuildEvent[]> {
  const all: BuildEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('build log', () => {
  it('replays what was said and follows to the end', async () => {
    const log = createBuildLog();
    log.line('one');
    const watched = drain(log.follow(never));
    log.setStatus('BUILDING');
    log.line('two');
    log.end();
    expect(await watched).toEqual([
      { type: 'status', status: 'QUEUED' },
      { type: 'line', text: 'one' },
      { type: 'status', status: 'BUILDING' },
      { type: 'line', text: 'two' },
    ]);
  });

  it('keeps a bounded number of bounded lines, the newest ones', async () => {
    const log = createBuildLog();
    for (let i = 0; i < 5_000; i++) log.line(`${i}`);
    log.line('x'.repeat(1_000_000));
    log.end();
    const lines = (await drain(log.follow(never))).map((event) => (event.type === 'line' ? event.text : ''));
    expect(lines).toHaveLength(1_000);
    expect(lines.at(-2)).toBe('4999');
    expect(lines.at(-1)).toHaveLength(1_000);
  });

  it('removes terminal control sequences of the tool', async () => {
    const log = createBuildLog();
    log.line('\u001B[31mred\u001B[0m\r');
    log.end();
    expect((await drain(log.follow(never))).at(-1)).toEqual({ type: 'line', text: 'red' });
  });

  it('lets a watcher go when he gives up', async () => {
    const log = createBuildLog();
    const watcher = new AbortController();
    const watched = drain(log.follow(watcher.signal));
    watcher.abort();
    expect(await watched).toEqual([{ type: 'status', status: 'QUEUED' }]);
  });

  it('keeps a slow watcher from holding memory: he misses lines instead', async () => {
    const log = createBuildLog();
    const slow = log.follow(never)[Symbol.asyncIterator]();
    await slow.next();
    for (let i = 0; i < 3_000; i++) log.line(`${i}`);
    expect((await slow.next()).value).toEqual({ type: 'line', text: '2000' });
  });
});
