/**
 * As much of SQLite's tokenizer as it takes to find where a statement ends, with which word it begins and which
 * parameters it has. What a statement does is decided by SQLite itself (guard.mjs).
 */

const IDENTIFIER = /[A-Za-z0-9_$\u0080-\uffff]*/y;
const SPACE = new Set([' ', '\t', '\n', '\f', '\r', '\ufeff']);
const CLOSING = { "'": "'", '"': '"', '`': '`', '[': ']' };

/**
 * Kind and end of the token that begins at `at`: `space` (comments too), `semicolon`, `word`, `quoted`, `parameter` or
 * `other`. Undefined when it may go on after the end of a text that is not the last part.
 */
function readToken(text, at, isLast) {
  const token = (kind, end) => (end < text.length || isLast ? [kind, Math.min(end, text.length)] : undefined);
  /** To behind `closing`, or to the end of the text. */
  const upTo = (kind, closing, from) => {
    const found = text.indexOf(closing, from);
    return found === -1 ? (isLast ? [kind, text.length] : undefined) : [kind, found + closing.length];
  };
  const char = text[at];
  if (SPACE.has(char)) return ['space', at + 1];
  if (char === ';') return ['semicolon', at + 1];
  if (char === '-' || char === '/') {
    if (at + 1 === text.length) return token('other', at + 1);
    if (char === '-' && text[at + 1] === '-') return upTo('space', '\n', at + 2);
    return char === '/' && text[at + 1] === '*' ? upTo('space', '*/', at + 2) : ['other', at + 1];
  }
  if (char in CLOSING) return readQuoted(text, at, isLast);
  const isParameter = '?:@$'.includes(char);
  IDENTIFIER.lastIndex = isParameter ? at + 1 : at;
  IDENTIFIER.test(text);
  const end = IDENTIFIER.lastIndex;
  if (isParameter) return token('parameter', end);
  if (end === at) return ['other', at + 1];
  return token(char >= '0' && char <= '9' ? 'other' : 'word', end);
}

/** A doubled quote is a quote within. */
function readQuoted(text, at, isLast) {
  const closing = CLOSING[text[at]];
  for (let from = at + 1; ; from += 2) {
    const found = text.indexOf(closing, from);
    if (found === -1) return isLast ? ['quoted', text.length] : undefined;
    if (closing === ']') return ['quoted', found + 1];
    if (found + 1 === text.length && !isLast) return undefined;
    if (text[found + 1] !== closing) return ['quoted', found + 1];
    from = found;
  }
}

function* tokensOf(sql) {
  for (let at = 0; at < sql.length;) {
    const [kind, end] = readToken(sql, at, true);
    yield [kind, sql.slice(at, end)];
    at = end;
  }
}

/** The word that says what a statement is, in capitals; that behind EXPLAIN and EXPLAIN QUERY PLAN. */
export function statementKind(sql) {
  const words = [];
  for (const [kind, text] of tokensOf(sql)) {
    if (kind === 'space') continue;
    if (kind !== 'word') break;
    words.push(text.toUpperCase());
    if (words.length === 4) break;
  }
  if (words[0] !== 'EXPLAIN') return words[0];
  return words[1] === 'QUERY' && words[2] === 'PLAN' ? words[3] : words[1];
}

/** Names of the parameters without their first letter; empty for a bare `?`. */
export function parameterNames(sql) {
  const names = [];
  for (const [kind, text] of tokensOf(sql)) if (kind === 'parameter') names.push(text.slice(1));
  return names;
}

/** Rows: states of SQLite's own sqlite3_complete(); columns: the classes of tokens below. */
const [START, NORMAL, EXPLAIN, CREATE, TRIGGER, AFTER_SEMICOLON, END] = [0, 1, 2, 3, 4, 5, 6];
const CLASSES = ['semicolon', 'space', 'other', 'EXPLAIN', 'CREATE', 'TEMP', 'TRIGGER', 'END'];
const NEXT = [
  [START, START, NORMAL, EXPLAIN, CREATE, NORMAL, NORMAL, NORMAL],
  [START, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL],
  [START, EXPLAIN, EXPLAIN, NORMAL, CREATE, NORMAL, NORMAL, NORMAL],
  [START, CREATE, NORMAL, NORMAL, NORMAL, CREATE, TRIGGER, NORMAL],
  [AFTER_SEMICOLON, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER],
  [AFTER_SEMICOLON, AFTER_SEMICOLON, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, END],
  [START, END, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER],
];

function classOf(kind, text) {
  if (kind === 'semicolon' || kind === 'space') return CLASSES.indexOf(kind);
  const word = kind === 'word' ? text.toUpperCase().replace('TEMPORARY', 'TEMP') : 'other';
  const found = CLASSES.indexOf(word, 3);
  return found === -1 ? CLASSES.indexOf('other') : found;
}

/** Cuts a script that comes in parts into statements; the body of a trigger is not cut. */
export class Splitter {
  #text = '';
  #at = 0;
  #state = START;
  #isEmpty = true;
  #line = 1;
  /** Line of the script on which the last statement began, from 1. */
  line = 1;

  /** Characters of the statement that is not complete. */
  get pending() {
    return this.#text.length;
  }

  *push(part, isLast = false) {
    this.#text += part;
    while (this.#at < this.#text.length) {
      const token = readToken(this.#text, this.#at, isLast);
      if (token === undefined) break;
      const [kind, end] = token;
      const text = this.#text.slice(this.#at, end);
      this.#state = NEXT[this.#state][classOf(kind, text)];
      if (kind !== 'space' && kind !== 'semicolon' && this.#isEmpty) {
        this.#isEmpty = false;
        this.line = this.#line;
      }
      this.#line += countLines(text);
      this.#at = end;
      if (this.#state === START && kind === 'semicolon') yield* this.#take();
    }
    if (isLast) yield* this.#take();
  }

  *#take() {
    const statement = this.#text.slice(0, this.#at);
    const wasEmpty = this.#isEmpty;
    this.#text = this.#text.slice(this.#at);
    this.#at = 0;
    this.#isEmpty = true;
    if (!wasEmpty) yield statement;
  }
}

function countLines(text) {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
