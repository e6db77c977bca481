import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentFiles } from './document-files.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'jellyfaas-documents-'));
  mkdirSync(join(cwd, 'docs/old'), { recursive: true });
  for (const path of ['a.md', 'docs/b.md', 'docs/old/b.md', 'docs/c [1].txt'])
    writeFileSync(join(cwd, path), 'text');
});
afterAll(() => rmSync(cwd, { recursive: true }));

const names = (words: string[], byPath = false): string[] =>
  documentFiles(words, { cwd, byPath }).map(({ name }) => name);

describe('files to upload', () => {
  it('are those that words and patterns mean, each once', () => {
    expect(names(['a.md', '*.md', 'docs/b.md'])).toEqual(['a.md', 'b.md']);
  });

  it('may be called like a pattern', () => {
    expect(names(['docs/c [1].txt'])).toEqual(['c [1].txt']);
  });

  it('of the same name are refused, unless paths tell them apart', () => {
    expect(() => names(['docs/**/*.md'])).toThrow('--by-path');
    expect(names(['docs/**/*.md'], true)).toEqual(['docs:b.md', 'docs:old:b.md']);
  });

  it('are not folders, and exist', () => {
    expect(() => names(['docs'])).toThrow('folder');
    expect(() => names(['none.md'])).toThrow('no file');
    expect(() => names(['*.pdf'])).toThrow('no file');
  });
});
