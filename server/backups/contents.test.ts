import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { listContents } from './contents.ts';

it('a database whose change of key a crash interrupted is backed up as it was left', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'contents-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const left = ['data.db.old', 'data.db.next'].map((name) => `databases/db_a/${name}`);
  mkdirSync(join(dataDir, 'databases', 'db_a'), { recursive: true });
  for (const path of [...left, 'databases/db_a/data.db.making']) writeFileSync(join(dataDir, path), 'x');
  const listed: string[] = [];
  for await (const { path } of listContents(dataDir)) listed.push(path);
  expect(listed.toSorted()).toEqual(left.toSorted());
});
