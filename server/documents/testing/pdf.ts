import { deflateSync } from 'node:zlib';

/** A line of text at a place; `size` in points. */
export interface PdfLine {
  readonly text: string;
  readonly size?: number;
  /** From the left and from the bottom of the page, in points. */
  readonly at: readonly [x: number, y: number];
}

/** Objects of a PDF by number, without `obj` and `endobj`; 1 is the catalog. */
export type PdfObjects = Record<number, string | Buffer>;

/** Puts objects, table and trailer together. */
export function pdfOf(objects: PdfObjects, trailer = ''): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets = new Map<number, number>();
  let length = 0;
  const put = (part: Buffer): void => void (parts.push(part), (length += part.length));
  length = parts[0]?.length ?? 0;
  for (const [number, body] of Object.entries(objects)) {
    offsets.set(Number(number), length);
    put(Buffer.concat([Buffer.from(`${number} 0 obj\n`), Buffer.from(body), Buffer.from('\nendobj\n')]));
  }
  const count = Math.max(...offsets.keys()) + 1;
  const rows = Array.from({ length: count }, (_, number) => {
    const offset = offsets.get(number);
    return offset === undefined ? '0000000000 65535 f \n' : `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const start = length;
  put(
    Buffer.from(
      `xref\n0 ${count}\n${rows.join('')}trailer\n<< /Size ${count} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

export function streamOf(content: string | Buffer, dictionary = ''): Buffer {
  const packed = deflateSync(content);
  return rawStream(packed, `/Filter /FlateDecode ${dictionary}`);
}

export function rawStream(bytes: Buffer, dictionary: string): Buffer {
  return Buffer.concat([
    Buffer.from(`<< /Length ${bytes.length} ${dictionary} >>\nstream\n`),
    bytes,
    Buffer.from('\nendstream'),
  ]);
}

const PAGES = 2;
const FONT = 3;
const FIRST_FREE = 10;

/**
 * A text on pages, in a font that has every character of Unicode, with more objects (from 100 on) and more of the
 * catalog if given.
 */
export function textPdf(
  pages: readonly (readonly PdfLine[])[],
  more: { objects?: PdfObjects; catalog?: string; trailer?: string } = {},
): Buffer {
  const page = (index: number): number => FIRST_FREE + 2 * index;
  const objects: PdfObjects = {
    1: `<< /Type /Catalog /Pages ${PAGES} 0 R ${more.catalog ?? ''} >>`,
    [PAGES]: `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${page(index)} 0 R`).join(' ')}] >>`,
    [FONT]: `<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 6 0 R >>`,
    4: '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /DW 500 /FontDescriptor 5 0 R /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>',
    5: '<< /Type /FontDescriptor /FontName /Any /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
    6: streamOf(TO_UNICODE),
  };
  for (const [index, lines] of pages.entries()) {
    objects[page(index)] =
      `<< /Type /Page /Parent ${PAGES} 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F ${FONT} 0 R >> >> /Contents ${page(index) + 1} 0 R >>`;
    objects[page(index) + 1] = streamOf(lines.map(drawn).join('\n'));
  }
  return pdfOf({ ...objects, ...more.objects }, more.trailer);
}

/** One paragraph per text, one line each. */
export function paragraphLines(paragraphs: readonly string[]): PdfLine[] {
  return paragraphs.map((text, index) => ({ text, at: [50, 750 - index * 40] as const }));
}

function drawn({ text, size = 12, at: [x, y] }: PdfLine): string {
  // Glyphs are called by their UTF-16 code, emoji by one from the private area.
  const single = Array.from(text, (character) => {
    const emoji = EMOJI.indexOf(character);
    return emoji === -1 ? character : String.fromCharCode(FIRST_PRIVATE + emoji);
  });
  const codes = Buffer.from(single.join(''), 'utf16le').swap16().toString('hex');
  return `BT /F ${size} Tf 1 0 0 1 ${x} ${y} Tm <${codes}> Tj ET`;
}

const EMOJI = ['😀', '👩', '🚀'];
const FIRST_PRIVATE = 0xe000;

const TO_UNICODE = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapName /Any def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
100 beginbfrange
${Array.from({ length: 256 }, (_, high) => {
  const byte = high.toString(16).padStart(2, '0');
  return `<${byte}00> <${byte}FF> <${byte}00>`;
}).join('\n')}
endbfrange
${EMOJI.length} beginbfchar
${EMOJI.map((emoji, index) => `<${(FIRST_PRIVATE + index).toString(16)}> <${Buffer.from(emoji, 'utf16le').swap16().toString('hex')}>`).join('\n')}
endbfchar
endcmap CMapName currentdict /CMap defineresource pop end end`;
