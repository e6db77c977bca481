import { Refused } from './refused.mjs';

/**
 * Splits a statement as MySQL and MariaDB do under the SQL mode that the session sets (backslash escapes, `"` for
 * strings). What is no plain statement text is refused: executable comments, variables, parameters.
 * @returns {{ kind: 'word' | 'name' | 'string' | 'number' | 'symbol', text: string, spaced: boolean }[]}
 *   `word`: unquoted, `name`: in backticks; `text` of names and strings is their value; `spaced`: something
 *   white stood before.
 */
export function tokensOf(sql) {
  const tokens = [];
  let spaced = false;
  for (let at = 0; at < sql.length;) {
    const [kind, pattern, read] = FORMS.find(([, form]) => ((form.lastIndex = at), form.test(sql))) ?? [];
    if (pattern === undefined) throw new Refused(sql[at] === '@' ? 'variable' : 'unparsable', sql[at]);
    pattern.lastIndex = at;
    const [text] = pattern.exec(sql);
    at += text.length;
    if (kind === 'executable') throw new Refused('executable_comment', text.slice(0, 3));
    if (kind !== 'white') tokens.push({ kind, text: read?.(text) ?? text, spaced });
    spaced = kind === 'white';
  }
  return tokens;
}

/** The first that fits is it. Each is anchored where the last one ended. */
const FORMS = [
  // `/*!` and MariaDB's `/*M!` run what is in them.
  ['executable', /\/\*M?!/y],
  ['white', /\/\*[^]*?\*\//y],
  ['white', /--(?=[\s\u0001-\u001f]|$)[^\n]*/y],
  ['white', /#[^\n]*/y],
  ['white', /[ \t\r\n\f\v]+/y],
  ['string', /'(?:[^'\\]|\\[^]|'')*'/y, (text) => unescaped(text, /''/g, "'")],
  ['string', /"(?:[^"\\]|\\[^]|"")*"/y, (text) => unescaped(text, /""/g, '"')],
  ['name', /`(?:[^`]|``)+`/y, (text) => text.slice(1, -1).replaceAll('``', '`')],
  ['number', /(?:0x[0-9a-f]+|0b[01]+|x'(?:[0-9a-f]{2})*'|b'[01]*')(?![\w$\u0080-\uffff])/iy],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\w$\u0080-\uffff.])/iy],
  // Not directly before a quote: `_utf8'…'` and `n'…'` read the string in their own way.
  ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*(?!['"\w$\u0080-\uffff])/y],
  ['symbol', /->>|->|<=>|<=|>=|<>|!=|<<|>>|&&|\|\||[-+*\/%&|^~<>=(),.;]/y],
];

const ESCAPES = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\u001a', '%': '\\%', _: '\\_' };

function unescaped(quoted, doubled, quote) {
  const inner = quoted.slice(1, -1);
  // One pass, so that what one rule leaves is not read again by the other.
  return inner.replaceAll(new RegExp(`\\\\([^])|${doubled.source}`, 'g'), (_, escaped) =>
    escaped === undefined ? quote : (ESCAPES[escaped] ?? escaped),
  );
}

/**
 * The statement in the one form that all readers take alike: no comments, every string in single quotes, every
 * unusual name in backticks, no white space between a function and its arguments.
 */
export function textOf(tokens) {
  return tokens
    .map((token, i) => {
      const opens = token.text === '(' && tokens[i - 1]?.kind === 'word' && !KEYWORDS.has(lower(tokens[i - 1]));
      return `${token.spaced && i > 0 && !opens ? ' ' : ''}${written(token)}`;
    })
    .join('');
}

function written({ kind, text }) {
  if (kind === 'string') return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
  if (kind === 'name' || (kind === 'word' && /[^\w$]/.test(text))) return `\`${text.replaceAll('`', '``')}\``;
  return text;
}

export const lower = ({ text }) => text.toLowerCase();

/** Words that stand before a parenthesis without being called. */
export const KEYWORDS = new Set(
  `select from where and or not xor in exists any some all as on using over partition by having union except intersect
  distinct when then else case between like regexp rlike is join inner left right outer cross lateral with recursive
  order group limit offset interval values against div mod filter within window separator escape row
  char varchar decimal signed unsigned binary datetime time`.split(/\s+/),
);
