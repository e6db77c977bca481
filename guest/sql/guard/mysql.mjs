import { readFile } from 'node:fs/promises';
import { init, Parser, MySqlDialect } from '@guanmingchiu/sqlparser-ts';
import { FUNCTIONS, KEYS, PADDING_FUNCTIONS } from './mysql-names.mjs';
import { KEYWORDS, lower, textOf, tokensOf } from './mysql-tokens.mjs';
import { assertPlainText, PADDING_MAX, Refused, withinStack } from './refused.mjs';

/**
 * MySQL's own grammar exists as no library, so two readings have to agree that a statement is harmless: a list of
 * tokens as the server splits them, and the tree of a parser. What then runs is not the text that came but the tokens,
 * written out again in a form that leaves no room for a third reading.
 */
const parser = new Parser(new MySqlDialect());

/** Loads the parser and lets it run once: its first statement takes as long as a hundred others. */
export async function prepareGuard() {
  await init();
  parser.parse('SELECT 1');
}

/**
 * Returns the statement to run, or throws `Refused`.
 * `allowed.tables`: names in `allowed.database`. `allowed.foldsCase`: the server compares names without case.
 */
export function guard(sql, allowed) {
  assertPlainText(sql);
  const tokens = tokensOf(sql);
  while (tokens.at(-1)?.text === ';' && tokens.at(-1).kind === 'symbol') tokens.pop();
  assertHarmless(tokens);
  const fold = allowed.foldsCase ? (name) => name.toLowerCase() : (name) => name;
  const tree = parse(textOf(tokens.filter((_, i) => !isRollup(tokens, i))));
  const scope = {
    tables: new Set(allowed.tables.map(fold)),
    database: fold(allowed.database),
    fold,
    ctes: [],
    aliases: new Set(),
  };
  withinStack(() => visit(tree, scope));
  assertCallsKnown(tokens, scope.aliases);
  return textOf(tokens);
}

const refuse = (reason, near) => {
  throw new Refused(reason, near);
};

/** Words that a reading statement does without, and that no parser's leniency may let through. */
const FORBIDDEN_WORDS = {
  into: 'into',
  outfile: 'into',
  dumpfile: 'into',
  procedure: 'construct',
  handler: 'not_a_select',
  current_user: 'function',
  current_role: 'function',
};
/** Each nests the parser's tree one deeper, and beyond 600 the parser's stack ends: it then reads nothing more. */
const OPERATORS_MAX = 400;
const OPERATOR_WORDS = new Set(
  ['and', 'or', 'xor', 'not', 'div', 'mod', 'union', 'except', 'intersect', 'is', 'in', 'like', 'collate', 'when'],
);
/** After FOR or LOCK. */
const LOCK_WORDS = new Set(['update', 'share', 'in', 'system_time', 'value', 'tables']);

function assertHarmless(tokens) {
  const words = tokens.map((token) => (token.kind === 'word' ? lower(token) : undefined));
  if (tokens.length === 0 || tokens.some(({ kind, text }) => kind === 'symbol' && text === ';')) {
    refuse('not_one_statement');
  }
  if (!['select', 'with'].includes(words.find((word, i) => tokens[i].text !== '('))) refuse('not_a_select');
  const isOperator = ({ kind, text }, i) =>
    kind === 'symbol' ? !/^[,().]$/.test(text) : OPERATOR_WORDS.has(words[i]);
  if (tokens.filter(isOperator).length > OPERATORS_MAX) refuse('too_long');
  words.forEach((word, i) => {
    if (tokens[i - 1]?.text !== '.' && Object.hasOwn(FORBIDDEN_WORDS, word)) refuse(FORBIDDEN_WORDS[word], word);
    if ((word === 'for' || word === 'lock') && LOCK_WORDS.has(words[i + 1])) refuse('lock');
  });
}

/** WITH ROLLUP at the end of a GROUP BY: the parser does not know it, and it reads nothing. */
function isRollup(tokens, i) {
  const [first, second, after] = [tokens[i - 1], tokens[i], tokens[i + 1]].map((t) => t?.kind === 'word' && lower(t));
  const isEnd = (word, token) =>
    token === undefined || token.text === ')' || ['having', 'order', 'limit', 'union', 'window'].includes(word);
  if (second === 'rollup') return first === 'with' && isEnd(after, tokens[i + 1]);
  return second === 'with' && after === 'rollup' && isRollup(tokens, i + 1);
}

function parse(text) {
  let statements;
  try {
    statements = parser.parse(text);
  } catch {
    throw new Refused('unparsable');
  }
  if (statements.length !== 1) refuse('not_one_statement');
  if (statements[0].Query === undefined) refuse('not_a_select');
  return statements;
}

const isEmpty = (value) =>
  value === null || value === undefined || value === false || value === 'None' || value === '' || isEmptyList(value);
const isEmptyList = (value) => Array.isArray(value) && value.every(isEmpty);

/** Every key of the tree is one of KEYS, or there is nothing under it. */
function visit(value, scope) {
  if (Array.isArray(value)) return value.forEach((item) => visit(item, scope));
  if (value === null || typeof value !== 'object') return;
  // A query, with or without its name around it.
  const inner = value.body === undefined ? scope : visitWith(value, scope);
  for (const [key, child] of Object.entries(value)) {
    if (isEmpty(child) || isPlace(key)) continue;
    if (!KEYS.has(key)) refuse(REASONS[key] ?? 'construct');
    if (key === 'with') continue;
    VISITORS[key]?.(child, inner);
    visit(child, inner);
  }
}

/** Where in the text something stood; the parser keeps it beside what it found. */
const isPlace = (key) => key === 'span' || key.endsWith('_token');

const REASONS = { locks: 'lock', into: 'into' };

/** The names of a WITH are tables in the rest of the statement, each also in the queries after it and, with RECURSIVE, in its own. */
function visitWith({ with: clause }, scope) {
  if (isEmpty(clause)) return scope;
  const ctes = [...scope.ctes];
  for (const { alias, query, ...rest } of clause.cte_tables) {
    for (const [key, child] of Object.entries(rest)) isEmpty(child) || isPlace(key) || refuse('construct');
    visitAlias(alias, scope);
    const name = alias.name.value;
    visit(query, { ...scope, ctes: clause.recursive ? [...ctes, name] : [...ctes] });
    ctes.push(name);
  }
  return { ...scope, ctes };
}

const VISITORS = {
  Table: visitTable,
  Function: visitFunction,
  alias: visitAlias,
};

function visitTable({ name, args }, scope) {
  const parts = name.map(({ Identifier }) => Identifier?.value ?? '');
  const table = parts.at(-1);
  if (!isEmpty(args)) refuse('function', table);
  if (parts.length === 1 && scope.ctes.includes(table)) return;
  const isOurs = parts.length === 1 || (parts.length === 2 && scope.fold(parts[0]) === scope.database);
  if (!isOurs || !scope.tables.has(scope.fold(table))) refuse('table', table);
}

function visitFunction({ name, args }) {
  const called = name.at(-1).Identifier?.value ?? '';
  const known = called.toLowerCase();
  if (name.length > 1 || !FUNCTIONS.has(known)) refuse('function', called);
  if (!PADDING_FUNCTIONS.has(known)) return;
  const [, length] = args.List?.args ?? [];
  const written = length?.Unnamed?.Expr?.Value?.value?.Number?.[0];
  if (written === undefined || !(Number(written) <= PADDING_MAX)) refuse('padding', called);
}

/** Names that may stand before a parenthesis: `t (a, b)`. */
function visitAlias(alias, { aliases }) {
  if (alias?.columns?.length > 0) aliases.add(alias.name.value.toLowerCase());
}

/** The second look, at the tokens: nothing is called that the parser took for something else. */
function assertCallsKnown(tokens, aliases) {
  tokens.forEach((token, i) => {
    const isCalled = tokens[i + 1]?.text === '(' && tokens[i + 1].kind === 'symbol';
    if (!isCalled || (token.kind !== 'word' && token.kind !== 'name')) return;
    const name = lower(token);
    const isKeyword = token.kind === 'word' && (KEYWORDS.has(name) || CONSTRUCTS.has(name));
    if (!isKeyword && !FUNCTIONS.has(name) && !aliases.has(name)) refuse('function', token.text);
  });
}

/** Written like functions, nodes of their own in the tree. */
const CONSTRUCTS = new Set(['cast', 'convert', 'extract', 'position', 'trim', 'match', 'ceil', 'floor', 'json_table']);
