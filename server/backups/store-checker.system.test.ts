import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Jail, JailedProcess } from '../sandbox/jail.ts';
import { openTestJail } from '../sandbox/testing.ts';
import { createStoreChecker, type StoreChecker } from './store-checker.ts';
import { openNotes } from './testing/rig.ts';

const key = new Uint8Array(randomBytes(32));
let jail: Jail;
let checker: StoreChecker;
let processes: JailedProcess[];
let home: string;
let own: string;
let path: string;

beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(() => jail.close());
beforeEach(async () => {
  processes = [];
  checker = createStoreChecker({
    adopt: (directory, files) => jail.adopt(directory, files),
    async start(spec) {
      const process = await jail.start(spec);
      processes.push(process);
      return process;
    },
  });
  home = mkdtempSync(join(tmpdir(), 'checker-'));
  own = join(home, 'own');
  mkdirSync(own, { mode: 0o700 });
  path = join(own, 'store.db');
  const store = await openNotes(path, key);
  for (let i = 0; i < 200; i++)
    await store.db
      .insertInto('note')
      .values({ text: `note ${i}`.repeat(20) })
      .execute();
  await store.close();
});
afterEach(() => rmSync(home, { recursive: true }));

describe('the check of a store', () => {
  it('says yes of a sound one, and nothing else', async () => {
    const before = readFileSync(path);
    expect(await checker.isSound(own, key)).toBe(true);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(own)).toEqual(['store.db']);
  });

  it('says yes of one whose last writes lie in its log', async () => {
    const store = await openNotes(path, key);
    await store.db.insertInto('note').values({ text: 'late' }).execute();
    const copy = join(home, 'copy');
    mkdirSync(copy, { mode: 0o700 });
    for (const end of ['', '-wal']) writeFileSync(join(copy, `store.db${end}`), readFileSync(path + end));
    await store.close();
    expect(await checker.isSound(copy, key)).toBe(true);
  });

  it.each([20, 3000, 9000])('says no of one with a bit flipped at byte %i', async (at) => {
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    expect(await checker.isSound(own, key)).toBe(false);
  });

  it('says no of one that was cut, is missing, or has another key', async () => {
    expect(await checker.isSound(own, new Uint8Array(randomBytes(32)))).toBe(false);
    truncateSync(path, 8192);
    expect(await checker.isSound(own, key)).toBe(false);
    renameSync(path, join(home, 'away'));
    expect(await checker.isSound(own, key)).toBe(false);
  });

  it('leaves no process behind', async () => {
    await checker.isSound(own, key);
    for (const { exited } of processes) expect(await exited).toEqual({ reason: 'exit', code: 0 });
  });
});
