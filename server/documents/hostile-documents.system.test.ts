import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawZip } from '../../testkit/raw-zip.ts';
import type { Jail } from '../sandbox/jail.ts';
import { openTestJail } from '../sandbox/testing.ts';
import { DOCUMENT_LIMITS, type DocumentLimits } from './document-limits.ts';
import { docxOf, heading, paragraph, zipOf } from './testing/docx.ts';
import { openTestReader, type Sample } from './testing/harness.ts';
import { paragraphLines, pdfOf, type PdfObjects, rawStream, streamOf, textPdf } from './testing/pdf.ts';

const MIB = 2 ** 20;

let jail: Jail;
beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(() => jail.close());

/** Reads the document; its process must be gone afterwards, whatever became of it. */
async function outcome(sample: Sample, limits: Partial<DocumentLimits> = {}): Promise<unknown> {
  const reader = openTestReader(jail, limits);
  const code = await reader.refusal(sample);
  expect(reader.started).toHaveLength(1);
  expect(reader.running()).toEqual([]);
  return code;
}

const utf8 = (text: string, extension: string): Sample => ({ bytes: Buffer.from(text), extension });
const FONT = '/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>';
const pdf = (content: string | Buffer, more: PdfObjects = {}, resources = ''): Sample => ({
  bytes: pdfOf({
    1: '<< /Type /Catalog /Pages 2 0 R >>',
    2: '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    3: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << ${FONT} ${resources} >> >>`,
    4: typeof content === 'string' ? streamOf(content) : content,
    ...more,
  }),
});

describe('a document that is refused', () => {
  test('is larger than a file may be', async () => {
    const sample = { bytes: Buffer.alloc(2 * MIB, 'word ') };
    expect(await outcome(sample, { bytesMax: MIB })).toBe('documents.too_large');
  });

  test('is a text longer than a text may be', async () => {
    expect(await outcome(utf8('word '.repeat(1000), '.md'), { charactersMax: 4999 })).toBe(
      'documents.too_large',
    );
  });

  test('has nothing in it to read', async () => {
    expect(await outcome(utf8('', '.txt'))).toBe('documents.empty');
    expect(await outcome(utf8(' \r\n\t\n', '.csv'))).toBe('documents.empty');
    expect(await outcome(utf8('<html><img src="scan.png"></html>', '.html'))).toBe('documents.empty');
    expect(await outcome({ bytes: textPdf([[]]) })).toBe('documents.empty');
    expect(await outcome({ bytes: await docxOf('') })).toBe('documents.empty');
  });

  test('is of a kind that is not read, whatever it is called', async () => {
    const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(600)]);
    const sheet = await zipOf({ 'xl/workbook.xml': '<workbook/>' });
    const oldWord = Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), Buffer.alloc(2000)]);
    for (const bytes of [png, sheet, oldWord, Buffer.from('{\\rtf1 text}')]) {
      expect(await outcome({ bytes, extension: '.txt', mediaType: 'text/plain' })).toBe(
        'documents.unsupported',
      );
    }
  });

  test('asks for a password', async () => {
    const encrypt = `/Filter /Standard /V 1 /R 2 /P -4 /O <${'11'.repeat(32)}> /U <${'22'.repeat(32)}>`;
    const bytes = textPdf([paragraphLines(['secret'])], {
      objects: { 100: `<< ${encrypt} >>` },
      trailer: `/Encrypt 100 0 R /ID [<${'33'.repeat(16)}> <${'33'.repeat(16)}>]`,
    });
    expect(await outcome({ bytes })).toBe('documents.encrypted');
    const package_ = Buffer.concat([
      Buffer.from([0xd0, 0xcf, 0x11, 0xe0]),
      Buffer.alloc(1000),
      Buffer.from('EncryptedPackage', 'utf16le'),
    ]);
    expect(await outcome({ bytes: package_, extension: '.docx' })).toBe('documents.encrypted');
  });

  test('is cut off or scrambled', async () => {
    const docx = await docxOf(paragraph('word '.repeat(1000)));
    expect(await outcome({ bytes: docx.subarray(0, docx.length / 2) })).toBe('documents.damaged');
    expect(await outcome({ bytes: Buffer.from('%PDF-1.7 and nothing of it'), extension: '.pdf' })).toBe(
      'documents.damaged',
    );
    const scrambled = Buffer.from(docx);
    scrambled.fill(0xff, 60, docx.length - 400);
    expect(await outcome({ bytes: scrambled })).toBe('documents.damaged');
  });
});

describe('a hostile PDF', () => {
  test('with one page more than allowed is refused before a page is read', async () => {
    const pages = DOCUMENT_LIMITS.pagesMax + 1;
    const bytes = textPdf(Array.from({ length: pages }, () => []));
    expect(await outcome({ bytes })).toBe('documents.too_many_pages');
  });

  test('that unpacks without end is stopped by its memory', async () => {
    const bomb = deflateSync(deflateSync(Buffer.alloc(1024 * MIB)));
    const content = rawStream(bomb, '/Filter [/FlateDecode /FlateDecode]');
    expect(await outcome(pdf(content), { memoryMib: 256 })).toBe('documents.expands_too_much');
  });

  test('that writes text without end is stopped by its text', async () => {
    const content = `BT /F 12 Tf ${`1 0 0 1 50 700 Tm (${'word '.repeat(20)}) Tj `.repeat(5000)} ET`;
    expect(await outcome(pdf(content), { charactersMax: 100_000 })).toBe('documents.expands_too_much');
  });

  test('whose forms draw each other a thousand million times is stopped by the clock', async () => {
    const forms = 10;
    const objects: PdfObjects = {};
    for (let form = 0; form < forms; form++) {
      const inner = form === forms - 1 ? 'BT /F 9 Tf (x) Tj ET' : '/Next Do '.repeat(10);
      const next = form === forms - 1 ? FONT : `/XObject << /Next ${11 + form} 0 R >>`;
      objects[10 + form] = streamOf(
        inner,
        `/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << ${next} >>`,
      );
    }
    const sample = pdf('/Next Do', objects, '/XObject << /Next 10 0 R >>');
    expect(await outcome(sample, { readMs: 2000, charactersMax: 2 ** 40 })).toBe('documents.took_too_long');
  });

  test('that refers to itself ends', async () => {
    const loops: PdfObjects[] = [
      { 1: '<< /Type /Catalog /Pages 2 0 R >>', 2: '<< /Type /Pages /Count 1 /Kids [2 0 R] >>' },
      { 1: '<< /Type /Catalog /Pages 1 0 R >>' },
      { 1: '<< /Type /Catalog /Pages 2 0 R >>', 2: '<< /Type /Pages /Count 2 0 R /Kids 2 0 R >>' },
      { 1: '1 0 R' },
    ];
    for (const objects of loops) {
      expect(['documents.damaged', 'documents.empty']).toContain(await outcome({ bytes: pdfOf(objects) }));
    }
    const self = pdf(
      '/Me Do',
      { 10: streamOf('/Me Do', '/Type /XObject /Subtype /Form /BBox [0 0 9 9]') },
      '/XObject << /Me 10 0 R >>',
    );
    expect(await outcome(self)).toBe('documents.empty');
    const table = pdfOf({ 1: '<< /Type /Catalog /Pages 2 0 R >>' }, '/Prev 0');
    expect(await outcome({ bytes: table })).toBe('documents.damaged');
  });

  test('with arrays in arrays ends', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect(await outcome(pdf('BT ET', { 50: deep }))).toBe('documents.empty');
    const annotated = pdf(`BT /F 12 Tf ${deep} TJ (end) Tj ET`);
    expect(['none', 'documents.damaged', 'documents.empty']).toContain(await outcome(annotated));
  });
});

describe('a hostile DOCX', () => {
  test('that unpacks to more than allowed is stopped while it unpacks', async () => {
    const bomb = await docxOf(`<w:p>${' '.repeat(64 * MIB)}</w:p>`);
    expect(bomb.length).toBeLessThan(MIB);
    expect(await outcome({ bytes: bomb }, { expandedBytesMax: 16 * MIB })).toBe('documents.expands_too_much');
  });

  test('that lies about the size of a part is damaged', async () => {
    const bytes = rawZip([
      { name: 'word/document.xml', data: `<w:p>${' '.repeat(MIB)}</w:p>`, declaredBytes: 100 },
    ]);
    expect(await outcome({ bytes })).toBe('documents.damaged');
  });

  test('may hold large pictures, which are never unpacked', async () => {
    const bytes = await docxOf(paragraph('text'), {
      files: { 'word/media/image1.png': Buffer.alloc(64 * MIB) },
    });
    expect(await outcome({ bytes }, { expandedBytesMax: MIB })).toBe('none');
  });

  test('has entities of its own left as they are: none is expanded, none read from a file', async () => {
    const laughs = Array.from(
      { length: 9 },
      (_, level) => `<!ENTITY lol${level + 1} "${`&lol${level};`.repeat(10)}">`,
    );
    const prolog = `<?xml version="1.0"?><!DOCTYPE w [<!ENTITY lol0 "lol"><!ENTITY file SYSTEM "file:///etc/passwd">${laughs.join('')}]>`;
    const reader = openTestReader(jail);
    const { text } = await reader.read({ bytes: await docxOf(paragraph('a &lol9; b &file; c'), { prolog }) });
    expect(text).toBe('a &lol9; b &file; c');
  });

  test('nested without end is refused', async () => {
    const bytes = await docxOf(`${'<w:p>'.repeat(200_000)}deep`);
    expect(await outcome({ bytes })).toBe('documents.too_complex');
  });

  test('of very many parts is refused', async () => {
    const parts = Array.from({ length: 10_001 }, (_, index) => ({ name: `p${index}`, data: '' }));
    expect(await outcome({ bytes: rawZip(parts) })).toBe('documents.too_complex');
  });

  test('whose styles are based on each other is read', async () => {
    const styles = `<w:styles>${['a', 'b'].map((id) => `<w:style w:styleId="${id}"><w:basedOn w:val="${id === 'a' ? 'b' : 'a'}"/></w:style>`).join('')}</w:styles>`;
    const bytes = await docxOf(heading('Title', 'a'), { files: { 'word/styles.xml': styles } });
    expect(await outcome({ bytes })).toBe('none');
  });
});

describe('a hostile text', () => {
  test('of HTML nested without end is refused', async () => {
    expect(await outcome(utf8(`<html>${'<div>'.repeat(200_000)}deep`, '.html'))).toBe(
      'documents.too_complex',
    );
    expect(await outcome(utf8(`<html>${'<b><i><a>'.repeat(100_000)}deep`, '.html'))).toBe(
      'documents.too_complex',
    );
  });

  test('of Markdown that is all marks is read or refused within its time', async () => {
    const marks = ['>', '- ', '* * ', '[', '![](', '`', '|', '# ', '<a ', '\n\t1. ', '[a]: <'];
    for (const mark of marks) {
      const sample = utf8(`${mark.repeat(MIB / 4 / mark.length)} end`, '.md');
      const code = await outcome(sample, { readMs: 20_000 });
      expect(['none', 'documents.took_too_long'], mark).toContain(code);
    }
  });

  test.each([
    ['CSV of one field that never ends', `a,b\n1,"${'word '.repeat(MIB / 5)}`, '.csv'],
    ['CSV of one row without end', 'cell,'.repeat(MIB / 5), '.csv'],
    ['one word without end', 'x'.repeat(MIB), '.txt'],
    ['one paragraph of very many lines', `${'a\n'.repeat(MIB)}b`, '.txt'],
    ['one emoji without end', '👩‍🚀'.repeat(MIB / 8), '.txt'],
    ['mostly space', `a${' '.repeat(MIB)}b${'\n'.repeat(MIB)}c`, '.txt'],
    ['headings only', '# Title\n'.repeat(20_000), '.md'],
    ['one heading without end', `# ${'title '.repeat(MIB / 6)}\n\nBody.`, '.md'],
  ])('%s becomes bounded passages that are exact', async (_name, text, extension) => {
    const reader = openTestReader(jail);
    const { text: extracted, passages } = await reader.read(utf8(text, extension));
    expect(extracted).toBe(text);
    expect(passages.length).toBeGreaterThan(0);
    for (const { start, end, text: passage, headings } of passages) {
      expect(passage).toBe(text.slice(start, end));
      expect(passage.length).toBeLessThan(8000);
      expect(headings.join('').length).toBeLessThan(1000);
    }
    expect(reader.running()).toEqual([]);
  });
});

const PASSAGE = '{"t":"passage","start":0,"end":1,"text":"x","page":null,"headings":[]}\\n';

describe('a reader that was taken over', () => {
  test.each([
    ['says what is no frame', 'hello\\n'],
    [
      'sends a passage that is longer than its span',
      '{"t":"passage","start":0,"end":1,"text":"long","page":null,"headings":[]}\\n',
    ],
    [
      'sends places beyond any text',
      '{"t":"passage","start":0,"end":1e12,"text":"","page":null,"headings":[]}\\n',
    ],
    ['tells more pages than there may be', '{"t":"progress","pagesDone":0,"pages":1000000000}\\n'],
    ['never ends its line', 'x'.repeat(3 * MIB)],
    ['sends passages in a circle', PASSAGE.repeat(2)],
    ['sends more text than there may be', '{"t":"text","text":"too long"}\\n'],
    ['invents a failure', '{"t":"failed","code":"constructor"}\\n'],
  ])('and %s is ended', async (_name, answer) => {
    const said = answer.length > MIB ? `'x'.repeat(${answer.length})` : `'${answer}'`;
    const script = `const s = new (require('net').Socket)({ fd: 3 }); s.on('error', () => {}); s.resume(); s.write(${said}); setInterval(() => {}, 1000);`;
    const reader = openTestReader(
      {
        ...jail,
        start: ({ argv, ...spec }) => jail.start({ ...spec, argv: [argv[0] ?? '', '-e', script] }),
      },
      { charactersMax: 7 },
    );
    expect(await reader.refusal(utf8('document', '.txt'))).toBe('documents.damaged');
    expect(reader.running()).toEqual([]);
  });
});
