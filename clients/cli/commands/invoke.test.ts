import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../sdk/src/sealed/bytes.ts';
import { pieces } from '../../sdk/src/sealed/testing/rig.ts';
import {
  DEPLOYMENT,
  type Reply,
  type SealedServer,
  startSealedServer,
} from '../../sdk/src/testing/sealed-server.ts';
import { type Ran, runAt } from '../testing/run-against.ts';

let server: SealedServer;
let reply: Reply;

beforeEach(async () => {
  reply = { content: pieces(utf8('canary-'), utf8('answer')) };
  server = await startSealedServer(() => reply);
});
afterEach(() => server.close());

const invoke = (...words: string[]): Promise<Ran> => runAt(server.url, ['invoke', 'greeter', ...words]);

describe('invoke --sealed', () => {
  it('calls as without it, and what is called and answered is on no wire', async () => {
    const said = ['--query', 'q=canary-query', '--header', 'X-Note: canary-header'];
    const ran = await invoke('--sealed', '--method', 'put', '--json', '{"a":"canary-body"}', ...said);
    expect(ran).toEqual({ code: 0, out: 'canary-answer', err: '200 OK (sealed)\n' });
    expect(server.opened).toMatchObject([
      { method: 'PUT', path: '/?q=canary-query', body: '{"a":"canary-body"}' },
    ]);
    expect(Object.fromEntries(server.opened[0]?.headers ?? [])).toEqual({
      'content-type': 'application/json',
      'x-note': 'canary-header',
    });
    expect(server.asked.at(-1)).toBe(`POST /${DEPLOYMENT}`);
    expect(server.wire().toString('latin1')).not.toContain('canary');
  });

  it('fails with the status that was in the seal, its body still printed', async () => {
    reply = { ...reply, status: 404 };
    expect(await invoke('--sealed')).toMatchObject({ code: 1, out: 'canary-answer' });
  });

  it('says why an answer did not open, or that nothing answers', async () => {
    server.interfere = { instead: (res) => Boolean(res.end('in the clear')) };
    const ran = await invoke('--sealed');
    expect(ran).toMatchObject({ code: 1, out: '', err: expect.stringContaining('answered in the clear') });
    server.close();
    expect((await invoke('--sealed')).err).toContain('No server answers');
  });

  it('is said where a pinned key would be of no use without it, and nothing is sent', async () => {
    const ran = await invoke('--installation-key', server.installationKey);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('--sealed') });
    expect(server.asked).toEqual([]);
    expect(await invoke('--sealed', '--installation-key', server.installationKey)).toMatchObject({ code: 0 });
    const other = await invoke('--sealed', '--installation-key', 'A'.repeat(43));
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was sent') });
  });
});
