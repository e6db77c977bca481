import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Jail } from '../sandbox/jail.ts';
import { openTestJail, processesOf } from '../sandbox/testing.ts';
import { CHUNKING, type Passage } from './document-reader.ts';
import { docxOf, heading, paragraph, table } from './testing/docx.ts';
import { documentOf, openTestReader, type Sample } from './testing/harness.ts';
import { paragraphLines, pdfOf, rawStream, streamOf, textPdf } from './testing/pdf.ts';

let jail: Jail;
let reader: ReturnType<typeof openTestReader>;

beforeAll(async () => {
  jail = await openTestJail();
  reader = openTestReader(jail);
});
afterAll(async () => {
  await reader.close();
  await jail.close();
});

const utf8 = (text: string, extension: string): Sample => ({ bytes: Buffer.from(text), extension });
const texts = (passages: readonly Passage[]): string[] => passages.map(({ text }) => text);

/** Words that no two places of a text share, in sentences, in several scripts. */
function prose(words: number, seed = 'w'): string {
  const sentences = Array.from({ length: Math.ceil(words / 8) }, (_, index) => {
    const list = Array.from({ length: 7 }, (_word, at) => `${seed}${index}x${at}`);
    return `${list.join(' ')} ${['Größe', '日本語', 'שלום', '👩‍🚀', 'naïve', 'привет'][index % 6]}.`;
  });
  return sentences.join(' ');
}

describe('a PDF', () => {
  test('is read page by page, with lines joined into paragraphs and split words in one piece', async () => {
    const bytes = textPdf([
      [
        { text: 'Privacy of calls', size: 20, at: [50, 750] },
        { text: 'Nothing of a call is kept, because the pay-', at: [50, 710] },
        { text: 'load never reaches a disk. It ends', at: [50, 695] },
        { text: 'with the answer.', at: [50, 680] },
        { text: 'A second paragraph.', at: [50, 640] },
      ],
      [{ text: 'The next page.', at: [50, 750] }],
    ]);
    const { text, passages, progress } = await reader.read({ bytes, mediaType: 'application/pdf' });
    expect(text).toBe(
      'Privacy of calls\n\nNothing of a call is kept, because the payload never reaches a disk. It ends with the answer.\n\nA second paragraph.\n\nThe next page.',
    );
    expect(passages.map(({ page, headings }) => [page, headings])).toEqual([
      [1, []],
      [2, ['Privacy of calls']],
    ]);
    expect(passages[0]?.text.startsWith('Privacy of calls\n\nNothing')).toBe(true);
    expect(progress).toEqual([0, 1, 2].map((pagesDone) => ({ type: 'progress', pagesDone, pages: 2 })));
  });

  test('keeps every script: emoji, right to left, Chinese', async () => {
    const lines = ['Größe 😀 naïve', '你好，世界', 'Привет', 'สวัสดี'];
    const rightToLeft = ['שלום עולם', 'مرحبا'];
    // A page is drawn from left to right, whatever it says.
    const drawn = rightToLeft.map((line) => Array.from(line).toReversed().join(''));
    const { text } = await reader.read({ bytes: textPdf([paragraphLines([...lines, ...drawn])]) });
    for (const line of [...lines, ...rightToLeft]) expect(text).toContain(line);
  });

  test('in an older Asian font, which does not say what its characters mean, is read by the tables for it', async () => {
    const text = '隐私是产品';
    const codes = Buffer.from(text, 'utf16le').swap16().toString('hex');
    const bytes = pdfOf({
      1: '<< /Type /Catalog /Pages 2 0 R >>',
      2: '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 6 0 R /Resources << /Font << /F 4 0 R >> >> >>',
      4: '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [5 0 R] >>',
      5: '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>',
      6: streamOf(`BT /F 12 Tf 50 700 Td <${codes}> Tj ET`),
    });
    expect((await reader.read({ bytes })).text).toBe(text);
  });

  test('lends its text, not its metadata, attachments, scripts or images', async () => {
    const bytes = textPdf([paragraphLines(['Visible text.'])], {
      catalog:
        '/Names << /EmbeddedFiles << /Names [(secret.txt) 100 0 R] >> >> /OpenAction << /S /JavaScript /JS (app.alert\\("secret-script"\\)) >>',
      trailer: '/Info 102 0 R',
      objects: {
        100: '<< /Type /Filespec /F (secret.txt) /EF << /F 101 0 R >> >>',
        101: rawStream(Buffer.from('secret-attachment'), '/Type /EmbeddedFile'),
        102: '<< /Title (secret-title) /Author (secret-author) >>',
        103: rawStream(
          Buffer.alloc(300, 7),
          '/Type /XObject /Subtype /Image /Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace /DeviceRGB',
        ),
      },
    });
    expect((await reader.read({ bytes })).text).toBe('Visible text.');
  });
});

describe('a DOCX', () => {
  test('keeps headings, lists, tables and notes, and leaves out what was deleted or hidden', async () => {
    const numbered = '<w:numPr><w:ilvl w:val="0"/></w:numPr>';
    const bytes = await docxOf(
      [
        heading('Handbook'),
        paragraph('Tom &amp; Jerry &lt;3 日本語 😀'),
        heading('Rules', 'berschrift2'),
        paragraph('First rule', numbered),
        paragraph('Second rule', numbered),
        '<w:p><w:r><w:t>Kept</w:t></w:r><w:del><w:r><w:t>deleted</w:t></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:tab/><w:t>text</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>',
        table([
          ['Name', 'City'],
          ['Ada', 'London'],
        ]),
        heading('Appendix', 'Kapitel'),
        paragraph('The end.'),
      ].join(''),
      {
        files: {
          'word/footnotes.xml': `<w:footnotes xmlns:w="x"><w:footnote w:id="2">${paragraph('A note.')}</w:footnote></w:footnotes>`,
          'word/comments.xml': `<w:comments>${paragraph('a comment')}</w:comments>`,
          'docProps/core.xml': '<cp:coreProperties>secret-author</cp:coreProperties>',
        },
      },
    );
    const { text, passages } = await reader.read({ bytes });
    expect(text).toBe(
      'Handbook\n\nTom & Jerry <3 日本語 😀\n\nRules\n\n- First rule\n\n- Second rule\n\nKept\ttext\n\nA note.\n\nName | City\nAda | London\n\nAppendix\n\nThe end.',
    );
    expect(passages.map(({ headings, text: passage }) => [headings, passage.slice(0, 8)])).toEqual([
      [[], 'Handbook'],
      [['Handbook'], 'Rules\n\n-'],
      [[], 'Appendix'],
    ]);
  });
});

describe('a page of HTML', () => {
  test('gives what is seen of it', async () => {
    const html = `<!doctype html><html><head><title>secret-title</title><style>.secret{}</style></head><body>
      <h1>Guide &amp; more</h1><p>One <b>bold</b>
      word.<br>Next line</p><script>secret()</script><p hidden>secret</p><div style="display: none"><p>secret</p></div>
      <template>secret</template><ul><li>first</li><li><p>second</p></li></ul>
      <h2>Prices</h2><table><tr><th>Item<th>Price<tr><td>Tea<td>2 €</table>
      <pre>  kept
  as it is</pre>unclosed <i>end`;
    const { text, passages } = await reader.read(utf8(html, '.html'));
    expect(text).toBe(
      'Guide & more\n\nOne bold word.\nNext line\n\n- first\n\n- second\n\nPrices\n\nItem | Price\nTea | 2 €\n\nkept\n  as it is\n\nunclosed end',
    );
    expect(passages.map(({ headings }) => headings)).toEqual([[], ['Guide & more']]);
  });

  test('that is laid out by a table still has its headings', async () => {
    const html = `<html><table><tr><td><h1>Title</h1><p>Body.</p></td><td>Aside</td></tr></table></html>`;
    const { text, passages } = await reader.read(utf8(html, '.htm'));
    expect(text).toBe('Title\n\nBody.\n\nAside');
    expect(texts(passages)).toEqual(['Title\n\nBody.\n\nAside']);
  });
});

describe('text, Markdown and CSV', () => {
  test('are their own text, byte order mark aside, in any encoding', async () => {
    const text = 'Größe, 日本語 und 😀.\r\n\r\nNext paragraph.\r\n';
    const samples: Record<string, Buffer> = {
      'UTF-8': Buffer.from(text),
      'UTF-8 with mark': Buffer.from(`\ufeff${text}`),
      'UTF-16LE with mark': Buffer.from(`\ufeff${text}`, 'utf16le'),
      'UTF-16BE with mark': Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    };
    for (const [name, bytes] of Object.entries(samples)) {
      expect((await reader.read({ bytes, extension: '.txt' })).text, name).toBe(text);
    }
    const western = 'Größe, naïve, a “quote”. And long enough to tell.';
    const latin = Buffer.from(western.replace('“', '\x93').replace('”', '\x94'), 'latin1');
    expect((await reader.read({ bytes: latin })).text).toBe(western);
    const unmarked = Buffer.from('Plain words without a mark.', 'utf16le');
    expect((await reader.read({ bytes: unmarked })).text).toBe('Plain words without a mark.');
  });

  test('Markdown keeps its heading paths, code and tables', async () => {
    const markdown = `---\ntitle: Front\n---\n\n# A **bold** title\n\n## Setup \`now\`\n\nRun it.\n\n\`\`\`sh\n# no heading\nrun\n\`\`\`\n\nOther\n-----\n\n| a | b |\n|---|---|\n| 1 | 2 |\n`;
    const { text, passages } = await reader.read(utf8(markdown, '.md'));
    expect(text).toBe(markdown);
    expect(passages.map(({ headings, text: passage }) => [headings, passage])).toEqual([
      [[], '---\ntitle: Front\n---'],
      [['A bold title'], '## Setup `now`\n\nRun it.\n\n```sh\n# no heading\nrun\n```'],
      [['A bold title'], 'Other\n-----\n\n| a | b |\n|---|---|\n| 1 | 2 |'],
    ]);
  });

  test('CSV passages are whole rows, with the names of their columns', async () => {
    const rows = Array.from({ length: 60 }, (_, index) => `${index};"Doe, ""J""\nLine ${index}";Berlin`);
    const csv = `id;name;city\n${rows.join('\n')}\n`;
    const { text, passages } = await reader.read(utf8(csv, '.csv'));
    expect(text).toBe(csv);
    expect(passages.length).toBeGreaterThan(2);
    expect(texts(passages).join('\n')).toBe(csv.trimEnd());
    expect(passages.map(({ headings }) => headings)).toEqual([
      [],
      ...passages.slice(1).map(() => ['id, name, city']),
    ]);
    for (const passage of texts(passages.slice(1))) expect(passage).toMatch(/^\d+;"/);
  });

  test('what a file is called does not count against its first bytes', async () => {
    const pdf = textPdf([paragraphLines(['In a PDF.'])]);
    expect((await reader.read({ bytes: pdf, extension: '.txt', mediaType: 'text/plain' })).text).toBe(
      'In a PDF.',
    );
    const docx = await docxOf(paragraph('In a DOCX.'));
    expect((await reader.read({ bytes: docx, extension: '.pdf' })).text).toBe('In a DOCX.');
    const html = utf8('<!DOCTYPE html><p>In a page.</p>', '.csv');
    expect((await reader.read(html)).text).toBe('In a page.');
    expect(await reader.refusal(utf8('not a PDF', '.pdf'))).toBe('documents.damaged');
  });
});

describe('passages', () => {
  test('are exactly slices of the text, in order, within pages and budget, in every format', async () => {
    const chapters = ['Alpha', 'Beta', 'Gamma'];
    const long = chapters.map((name) => prose(600, name.toLowerCase()));
    const samples: Record<string, Sample> = {
      pdf: {
        bytes: textPdf(
          long.map((text, index) => [
            { text: chapters[index] ?? '', size: 24, at: [50, 780] },
            ...(text.match(/.{1,80}(?:\s|$)/gu) ?? []).map((line, at) => ({
              text: line,
              at: [50, 740 - at * 14] as const,
            })),
          ]),
        ),
      },
      docx: {
        bytes: await docxOf(long.map((text, at) => heading(chapters[at] ?? '') + paragraph(text)).join('')),
      },
      html: utf8(
        `<html>${long.map((text, at) => `<h1>${chapters[at]}</h1><p>${text}</p>`).join('')}`,
        '.html',
      ),
      markdown: utf8(long.map((text, at) => `# ${chapters[at]}\n\n${text}`).join('\n\n'), '.md'),
      csv: utf8(`word,text\n${long.map((text, at) => `${at},"${text}"`).join('\n')}`, '.csv'),
      text: utf8(long.join('\n\n'), '.txt'),
    };
    for (const [name, sample] of Object.entries(samples)) {
      const { text, passages } = await reader.read(sample);
      expect(passages.length, name).toBeGreaterThan(9);
      for (const [index, { start, end, text: passage, page }] of passages.entries()) {
        expect(passage, name).toBe(text.slice(start, end));
        expect(passage, name).toBe(passage.trim());
        expect(start, name).toBeGreaterThan(passages[index - 1]?.start ?? -1);
        expect(page === null, name).toBe(name !== 'pdf');
        expect(passage.isWellFormed(), name).toBe(true);
      }
      // Nothing is lost between them but space.
      let reached = 0;
      for (const { start, end } of passages) {
        expect(text.slice(reached, Math.max(reached, start)).trim(), name).toBe('');
        reached = end;
      }
      expect(text.slice(reached).trim(), name).toBe('');
    }
  });
});

describe('a reading', () => {
  test('that is given up ends its process', async () => {
    const sample = utf8(prose(20_000), '.txt');
    const own = openTestReader(jail);
    const abort = new AbortController();
    const passages = own.passages(documentOf(sample, { signal: abort.signal }), CHUNKING);
    await expect(
      (async () => {
        for await (const event of passages) if (event.type === 'passage') abort.abort();
      })(),
    ).rejects.toMatchObject({ code: 'documents.cancelled' });
    expect(own.started).toHaveLength(1);
    expect(own.running()).toEqual([]);
  });

  test('whose reader leaves in the middle ends its process', async () => {
    const own = openTestReader(jail);
    for await (const _ of own.passages(documentOf(utf8(prose(20_000), '.txt')), CHUNKING)) break;
    expect(own.running()).toEqual([]);
  });

  test('waits for its turn, and can be given up while it does', async () => {
    const own = openTestReader(jail, { processesMax: 1, waitingMax: 1 });
    const release = Promise.withResolvers<void>();
    const first = own.text(documentOf(utf8('first', '.txt'), { hold: release.promise }));
    const abort = new AbortController();
    const second = own.text(documentOf(utf8('second', '.txt'), { signal: abort.signal }));
    const third = own.text(documentOf(utf8('third', '.txt')));
    await expect(third).rejects.toMatchObject({ code: 'documents.busy' });
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'documents.cancelled' });
    const fourth = own.text(documentOf(utf8('fourth', '.txt')));
    release.resolve();
    expect(await Promise.all([first, fourth])).toEqual(['first', 'fourth']);
  });

  test('ends when the reader is closed', async () => {
    const own = openTestReader(jail);
    const reading = own.text(documentOf(utf8('never all', '.txt'), { hold: new Promise(() => undefined) }));
    reading.catch(() => undefined);
    while (own.started.length === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    await own.close();
    await expect(reading).rejects.toMatchObject({ code: 'documents.cancelled' });
    expect(own.running()).toEqual([]);
  });

  test('says why the document did not come', async () => {
    const own = openTestReader(jail);
    const broken = { ...documentOf(utf8('', '.txt')), content: failing() };
    await expect(own.text(broken)).rejects.toThrow('the client left');
    expect(own.running()).toEqual([]);
  });

  test('knows nothing of another that runs beside it', async () => {
    const own = openTestReader(jail, { processesMax: 4 });
    const names = ['alice', 'bob', 'carol', 'dave'];
    const read = await Promise.all(
      names.map((name) => own.text(documentOf(utf8(prose(3000, name), '.txt'), { pieceBytes: 100 }))),
    );
    expect(read).toEqual(names.map((name) => prose(3000, name)));
    expect(new Set(own.started.map(({ uid }) => uid)).size).toBe(4);
  });

  test('leaves nothing of the document on the host, neither while it runs nor after', async () => {
    const canary = 'purple-elephant-7741';
    const own = openTestReader(jail);
    const release = Promise.withResolvers<void>();
    const bytes = textPdf([paragraphLines([canary])], { objects: { 100: `(${canary})` } });
    const reading = own.text(
      documentOf({ bytes, extension: '.pdf' }, { hold: release.promise, pieceBytes: 256 }),
    );
    reading.catch(() => undefined);
    while (own.running().length === 0) await new Promise(setImmediate);
    const pids = own.running();
    for (const pid of pids) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(canary);
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(canary);
      expect(openFilesOf(pid)).toEqual([]);
    }
    expect(filesHolding(canary)).toEqual([]);
    release.resolve();
    expect(await reading).toBe(canary);
    expect(own.started.flatMap(({ uid }) => processesOf(uid))).toEqual([]);
    expect(filesHolding(canary)).toEqual([]);
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('beginning');
  throw new Error('the client left');
}

/** Files that a process could have written to. */
function openFilesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((target) => /^\/(tmp|work|run|app)\/|\(deleted\)$/.test(target));
}

/** Below the directories of all jails of this host. */
function filesHolding(canary: string): string[] {
  return readdirSync('/run', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      try {
        return readFileSync(path).includes(canary);
      } catch {
        return false;
      }
    });
}
