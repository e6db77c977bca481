import { SqlFault } from './faults.mjs';

/** RFC 4180, where an empty field is NULL and a quoted empty one is the empty text. */
export function csvLine(values) {
  return `${values.map(csvField).join(',')}\r\n`;
}

function csvField(value) {
  if (value === null) return '';
  const text = String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What holds no end of field or row. */
const PLAIN_RUN = /[^",\r\n]+/y;

/** Rows of a CSV text that comes in parts. Lines may end in CRLF, LF or CR. */
export class CsvReader {
  #fields = [];
  #field = '';
  /** `plain`, `quoted`, or `quote`: behind a quote within quotes, which may have been the closing one. */
  #state = 'plain';
  #isQuoted = false;
  #wasReturn = false;
  /** Characters of the row that is not complete. */
  pending = 0;

  *push(part) {
    for (let at = 0; at < part.length;) {
      const end = this.#runEnd(part, at);
      if (end > at) {
        this.#field += part.slice(at, end);
      } else if (this.#readMark(part[at])) {
        yield this.#takeRow();
      }
      this.pending += Math.max(end - at, 1);
      at = Math.max(end, at + 1);
    }
  }

  *end() {
    if (this.#state === 'quoted') throw new SqlFault('bad_import', 'a quote is not closed');
    if (this.#fields.length > 0 || this.#field !== '' || this.#isQuoted) yield this.#takeRow();
  }

  /** Up to where the text belongs to the field as it is. */
  #runEnd(part, at) {
    if (this.#state === 'quoted') {
      const quote = part.indexOf('"', at);
      return quote === -1 ? part.length : quote;
    }
    PLAIN_RUN.lastIndex = at;
    if (!PLAIN_RUN.test(part)) return at;
    if (this.#state === 'quote') throw new SqlFault('bad_import', 'something follows a closing quote');
    this.#wasReturn = false;
    return PLAIN_RUN.lastIndex;
  }

  /** Whether a quote, comma or end of line ended the row. */
  #readMark(char) {
    const wasReturn = this.#wasReturn;
    this.#wasReturn = char === '\r';
    if (char === '\n' && wasReturn) return false;
    if (char === '"') this.#readQuote();
    else if (char === ',') this.#takeField();
    return char === '\n' || char === '\r';
  }

  #readQuote() {
    if (this.#state === 'quoted') {
      this.#state = 'quote';
      return;
    }
    if (this.#state === 'quote') this.#field += '"';
    else if (this.#field !== '') throw new SqlFault('bad_import', 'a quote stands within a field');
    this.#isQuoted = true;
    this.#state = 'quoted';
  }

  #takeField() {
    this.#fields.push(this.#field === '' && !this.#isQuoted ? null : this.#field);
    this.#field = '';
    this.#isQuoted = false;
    this.#state = 'plain';
  }

  #takeRow() {
    this.#takeField();
    const fields = this.#fields;
    this.#fields = [];
    this.pending = 0;
    return fields;
  }
}
