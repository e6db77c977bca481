import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bringBack } from './bring-back.ts';
import { copyStill, type FileEntry } from './still-copy.ts';
import { type BackupTarget, createDirectoryTarget } from './target.ts';
import { openNotes } from './testing/rig.ts';

const key = new Uint8Array(randomBytes(32));
const CONTENT = { kind: 'store', path: 'databases/data.db' } as const;

let home: string;
let target: BackupTarget;
let store: Awaited<ReturnType<typeof openNotes>>;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'still-copy-'));
  target = createDirectoryTarget(join(home, 'target'));
  store = await openNotes(join(home, CONTENT.path), key);
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true });
});

const write = async (text: string): Promise<void> =>
  void (await store.db.insertInto('note').values({ text }).execute());

/** What the copy says when it is opened. */
async function textsOf(entries: readonly FileEntry[]): Promise<string[]> {
  await bringBack(target, entries, join(home, 'copy'));
  const copy = await openNotes(join(home, 'copy', CONTENT.path), key);
  const rows = await copy.db.selectFrom('note').select('text').orderBy('rowid').execute();
  await copy.close();
  return rows.map(({ text }) => text);
}

/** Something happens to the file in the middle of its second reading, so many times. */
function disturbed(times: number, disturb: () => Promise<void>): BackupTarget {
  let left = times;
  return {
    ...target,
    async put(path, bytes) {
      await target.put(
        path,
        (async function* () {
          if (left-- > 0) await disturb();
          yield* bytes;
        })(),
      );
    },
  };
}

describe('a still copy', () => {
  it('has what lies in the log alone', async () => {
    await write('one');
    const entries = await copyStill(home, CONTENT, target);
    expect(entries.map(({ path }) => path)).toEqual([CONTENT.path, `${CONTENT.path}-wal`]);
    expect(await textsOf(entries)).toEqual(['one']);
  });

  it('is of one moment when the log moves into the file while it is read', async () => {
    await write('one');
    const entries = await copyStill(
      home,
      CONTENT,
      disturbed(3, async () => {
        await write('x'.repeat(50_000));
        store.checkpoint();
      }),
    );
    expect(await textsOf(entries)).toEqual(['one', ...Array<string>(3).fill('x'.repeat(50_000))]);
  });

  it('is not held up by a log that only grows', async () => {
    await write('one');
    const entries = await copyStill(
      home,
      CONTENT,
      disturbed(100, () => write('two')),
    );
    expect(await textsOf(entries)).toEqual(['one']);
  });

  it('is given up when the file never stands still, and nothing of it counts', async () => {
    await write('one');
    const changing = disturbed(100, async () => {
      await write('two');
      store.checkpoint();
    });
    await expect(copyStill(home, CONTENT, changing)).rejects.toMatchObject({ code: 'backups.changing' });
  });

  it('is nothing when the file is gone, and refused when it is not encrypted', async () => {
    expect(await copyStill(home, { kind: 'store', path: 'databases/gone.db' }, target)).toEqual([]);
    writeFileSync(join(home, 'plain.db'), 'SQLite format 3\0 …');
    await expect(copyStill(home, { kind: 'store', path: 'plain.db' }, target)).rejects.toMatchObject({
      code: 'backups.plaintext',
    });
    appendFileSync(join(home, 'plain'), 'not sealed at all');
    await expect(copyStill(home, { kind: 'sealed', path: 'plain' }, target)).rejects.toMatchObject({
      code: 'backups.plaintext',
    });
    expect(existsSync(join(home, 'target', 'blobs'))).toBe(false);
  });
});
