import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { type Manifest, buildWidget } from '../web/widget/build.ts';

/** The file that sites embed, as the build leaves it. */
const directory = mkdtempSync(join(tmpdir(), 'widget-'));
const dist = fileURLToPath(new URL('../web/widget/dist/', import.meta.url));
const locales = fileURLToPath(new URL('../web/widget/src/locales/', import.meta.url));
const manifest = await buildWidget(directory);
const code = readFileSync(join(directory, manifest.file), 'utf8');

afterAll(() => rmSync(directory, { recursive: true }));

describe('the file of the widget', () => {
  it('is at most 12 KiB on the wire, languages and styles included', () => {
    expect(gzipSync(code).length).toBeLessThanOrEqual(12 * 1024);
  });

  it('comes out of the same sources byte for byte, so that anybody can check what is served', async () => {
    const again = join(directory, 'again');
    expect(await buildWidget(again)).toEqual(manifest);
    expect(readFileSync(join(again, manifest.file), 'utf8')).toBe(code);
    const served = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8')) as Manifest;
    expect(served).toEqual(manifest);
    expect(readFileSync(join(dist, served.file), 'utf8')).toBe(code);
  });

  it('is named by version and content, with the integrity that a tag pins', () => {
    expect(manifest.file).toMatch(/^aimee-\d+\.\d+\.\d+-[0-9a-f]{10}\.js$/);
    expect(manifest.integrity).toBe(`sha384-${createHash('sha384').update(code).digest('base64')}`);
  });

  it('does not so much as name what could remember, observe or measure a visitor', () => {
    const words = [
      'cookie|localStorage|sessionStorage|indexedDB|caches\\b|serviceWorker',
      'sendBeacon|WebSocket|EventSource|XMLHttpRequest|RTCPeer|import\\(',
      'navigator|screen\\b|canvas|performance\\b|Date\\b|random|crypto|Intl\\b|matchMedia|devicePixel',
      'mouse|scroll`|resize`|visibilitychange|pagehide|unload|pointer[a-z]|touch[a-z]|keyup|keypress|selectionchange',
      'innerHTML|outerHTML|insertAdjacent|document\\.write|\\beval\\b|Function\\(',
    ];
    expect(code.match(new RegExp(words.join('|'), 'g')) ?? []).toEqual([]);
  });
});

describe('languages', () => {
  const read = (file: string): Record<string, string> =>
    JSON.parse(readFileSync(join(locales, file), 'utf8')) as Record<string, string>;
  const english = read('en.json');

  it('are twelve, and each says everything', () => {
    const files = readdirSync(locales).toSorted();
    expect(files.map((file) => file.slice(0, 2))).toEqual([
      'ar',
      'de',
      'en',
      'es',
      'fr',
      'he',
      'it',
      'ja',
      'nl',
      'pl',
      'pt',
      'tr',
    ]);
    for (const file of files) {
      expect(Object.keys(read(file)), file).toEqual(Object.keys(english));
      for (const [name, text] of Object.entries(read(file))) {
        expect(text.trim(), `${file} ${name}`).not.toBe('');
        expect(text, `${file} ${name}`).not.toContain('|');
      }
    }
  });
});
