// Reads one document inside the jail and ends: no network, nothing writable but RAM, content only on the control socket.
// In: one JSON line (`Request` in server/documents/reader-process.ts), then the document's bytes, then the end of the
// stream. Out: JSON lines (`Frame` in the same place).
import net from 'node:net';
import { once } from 'node:events';
import { chunk } from './chunking.mjs';
import { Failure } from './failure.mjs';
import { decode, formatOf } from './format.mjs';

const LINE_FEED = 10;
const TEXT_PORTION = 65_536;

const control = new net.Socket({ fd: 3, allowHalfOpen: true });
control.on('error', () => process.exit(0));

async function receive() {
  const chunks = [];
  for await (const part of control.iterator({ destroyOnReturn: false })) chunks.push(part);
  const bytes = Buffer.concat(chunks);
  const end = bytes.indexOf(LINE_FEED);
  return { request: JSON.parse(bytes.subarray(0, end).toString()), bytes: bytes.subarray(end + 1) };
}

async function send(frame) {
  if (!control.write(`${JSON.stringify(frame)}\n`)) await once(control, 'drain');
}

/** Parsers are loaded by need: that of PDF alone takes as long to load as all others to read a short document. */
async function extract(bytes, { mediaType, extension, limits }) {
  const format = formatOf(bytes, { mediaType, extension });
  switch (format) {
    case 'pdf': {
      const { readPdf } = await import('./pdf.mjs');
      return readPdf(bytes, limits, (pagesDone, pages) => void send({ t: 'progress', pagesDone, pages }));
    }
    case 'docx': {
      const { readDocx } = await import('./docx.mjs');
      return readDocx(bytes, limits);
    }
    case 'html': {
      const { readHtml } = await import('./html.mjs');
      return readHtml(decode(bytes), limits);
    }
    default: {
      const { readText, readCsv, readMarkdown } = await import('./plain.mjs');
      const text = decode(bytes);
      if (text.length > limits.charactersMax) throw new Failure('too_large');
      return { text: readText, csv: readCsv, markdown: readMarkdown }[format](text);
    }
  }
}

async function read() {
  const { request, bytes } = await receive();
  const { text, blocks } = await extract(bytes, request);
  if (blocks.length === 0) throw new Failure('empty');
  if (request.chunking === undefined) {
    for (let from = 0; from < text.length; from += TEXT_PORTION) {
      await send({ t: 'text', text: text.slice(from, from + TEXT_PORTION) });
    }
    return;
  }
  for (const span of chunk({ text, blocks }, request.chunking)) {
    await send({ t: 'passage', ...span, text: text.slice(span.start, span.end) });
  }
}

await read().then(
  () => send({ t: 'end' }),
  // Anything a parser throws on the way says that the document does not hold to its format.
  (error) => send({ t: 'failed', code: error instanceof Failure ? error.code : 'damaged' }),
);
control.end();
