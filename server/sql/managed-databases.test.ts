import { describe, expect, it } from 'vitest';
import { scriptedChatModel } from '../ai/testing/scripted-chat-model.ts';
import type { DatabaseFile } from '../databases/databases.ts';
import type { AccountId } from '../kernel/ids.ts';
import { ALICE_HOLDER, createAskRig } from './testing/ask-rig.ts';

const caller = (over: object = {}) => ({
  holder: ALICE_HOLDER,
  originIp: '192.0.2.7',
  signal: new AbortController().signal,
  ...over,
});
const rigOf = () => createAskRig({ model: scriptedChatModel([]) });

describe('a managed database', () => {
  it('is opened for one request and forgotten with it, whatever becomes of the request', async () => {
    const rig = rigOf();
    const keys: string[] = [];
    rig.managed.run = async ({ key }: DatabaseFile) => {
      keys.push(Buffer.from(key).toString('hex'));
      if (keys.length === 2) throw new Error('broken');
      return [];
    };
    const batch = { statements: [{ sql: 'SELECT 1' }], readOnly: true };
    await rig.sql.run(caller(), 'mine', batch);
    await expect(rig.sql.run(caller(), 'mine', batch)).rejects.toThrow('broken');
    expect(keys).toEqual(['07'.repeat(32), '07'.repeat(32)]);
    for (const { key } of rig.opened) expect(Buffer.from(key).toString('hex')).toBe('00'.repeat(32));
    expect(rig.records.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it('is read by its stream until the last row was taken', async () => {
    const rig = rigOf();
    rig.managed.stream = async (file) => ({
      columns: ['key'],
      rows: (async function* () {
        for (let row = 0; row < 3; row++) yield [file.key[0] ?? null];
      })(),
    });
    const seen: unknown[] = [];
    await rig.sql.stream(caller(), 'mine', {
      statement: { sql: 'SELECT 1' },
      async consume({ rows }) {
        for await (const row of rows) seen.push(row);
      },
    });
    expect(seen).toEqual([[7], [7], [7]]);
  });

  it('is not held beyond the deadline by a client that stops reading', async () => {
    const rig = rigOf();
    const consuming = Promise.withResolvers<void>();
    const streaming = rig.sql.stream(caller(), 'mine', {
      statement: { sql: 'SELECT 1' },
      consume() {
        consuming.resolve();
        return new Promise(() => undefined);
      },
    });
    await consuming.promise;
    rig.time.advance(300_000);
    await expect(streaming).rejects.toMatchObject({ code: 'sql.deadline' });
    expect(rig.opened[0]?.key.every((byte) => byte === 0)).toBe(true);
  });

  it('leaves a record of every request that touches rows, and of no other', async () => {
    const rig = rigOf();
    await rig.sql.create(ALICE_HOLDER, 'new');
    await rig.sql.list(ALICE_HOLDER);
    await rig.sql.describe(ALICE_HOLDER, 'mine');
    await rig.sql.drop(ALICE_HOLDER, 'mine');
    expect(rig.records).toEqual([]);
    const content = (async function* () {})();
    await rig.sql.run(caller(), 'mine', { statements: [{ sql: 'SELECT 1' }], readOnly: false });
    await rig.sql.schema(caller(), 'mine');
    await rig.sql.migrate(caller(), 'mine', [{ id: 'one', sql: 'SELECT 1' }]);
    await rig.sql.import(caller(), 'mine', { csvTable: null, content });
    await rig.sql.import(caller(), 'mine', { csvTable: 't', content });
    await rig.sql.export(caller(), 'mine', { csvTable: null, consume: async () => undefined });
    expect(rig.records).toHaveLength(6);
    expect(new Set(rig.records.map(({ functionId }) => functionId))).toEqual(
      new Set(['fn_0000000000000000000s']),
    );
  });

  it('of somebody else is not there', async () => {
    const rig = rigOf();
    const holder = { ...ALICE_HOLDER, accountId: 'acct_00000000000000000002' as AccountId };
    await expect(rig.sql.schema(caller({ holder }), 'mine')).rejects.toMatchObject({
      code: 'database.not_found',
    });
    expect(rig.records).toMatchObject([{ accountId: holder.accountId, ok: false }]);
  });

  it('is told to stop when the client leaves', async () => {
    const rig = rigOf();
    const leaving = new AbortController();
    rig.managed.run = (_file, _statements, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')));
        leaving.abort();
      });
    const batch = { statements: [{ sql: 'SELECT 1' }], readOnly: true };
    await expect(rig.sql.run(caller({ signal: leaving.signal }), 'mine', batch)).rejects.toMatchObject({
      code: 'sql.cancelled',
    });
  });
});
