import { loadModule, parseSync } from 'libpg-query';
import { FUNCTIONS, PADDING_FUNCTIONS, TYPES } from './postgres-names.mjs';
import { assertPlainText, PADDING_MAX, Refused, withinStack } from './refused.mjs';

/**
 * Reads a statement with Postgres' own grammar and walks the tree it gives. What is not listed here is refused, nodes
 * as well as fields of nodes; so a construct of a later version is refused until somebody has looked at it.
 */
const NODES = {
  SelectStmt: `distinctClause targetList fromClause whereClause groupClause groupDistinct havingClause windowClause
    valuesLists sortClause limitOffset limitCount limitOption withClause op all larg rarg`,
  WithClause: 'ctes recursive',
  CommonTableExpr: 'ctename aliascolnames ctematerialized ctequery',
  ResTarget: 'name val',
  ColumnRef: 'fields',
  A_Const: 'isnull ival fval boolval sval bsval',
  A_Expr: 'kind name lexpr rexpr rexpr_list_start rexpr_list_end',
  BoolExpr: 'boolop args',
  NullTest: 'arg nulltesttype argisrow',
  BooleanTest: 'arg booltesttype',
  SubLink: 'subLinkType testexpr operName subselect',
  CaseExpr: 'arg args defresult',
  CaseWhen: 'expr result',
  CoalesceExpr: 'args',
  MinMaxExpr: 'op args',
  FuncCall: `funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct func_variadic funcformat`,
  TypeCast: 'arg typeName',
  TypeName: 'names typemod typmods arrayBounds',
  RangeVar: 'schemaname relname inh relpersistence alias',
  RangeSubselect: 'lateral subquery alias',
  RangeFunction: 'lateral ordinality is_rowsfrom functions alias coldeflist',
  ColumnDef: 'colname typeName is_local',
  JoinExpr: 'jointype isNatural larg rarg usingClause join_using_alias quals alias',
  Alias: 'aliasname colnames',
  SortBy: 'node sortby_dir sortby_nulls',
  WindowDef: 'name refname partitionClause orderClause frameOptions startOffset endOffset',
  A_ArrayExpr: 'elements list_start list_end',
  A_Indirection: 'arg indirection',
  A_Indices: 'is_slice lidx uidx',
  RowExpr: 'args row_format colnames',
  GroupingSet: 'kind content',
  GroupingFunc: 'args',
  SQLValueFunction: 'op typmod',
  CollateClause: 'arg collname',
  List: 'items',
  String: 'sval',
  Integer: 'ival',
  Float: 'fval',
  Boolean: 'boolval',
  BitString: 'bsval',
  A_Star: '',
};

/** Fields that hold a node without its name around it; everywhere else the tree says itself what it holds. */
const BARE = {
  SelectStmt: { withClause: 'WithClause', larg: 'SelectStmt', rarg: 'SelectStmt' },
  FuncCall: { over: 'WindowDef' },
  TypeCast: { typeName: 'TypeName' },
  ColumnDef: { typeName: 'TypeName' },
  RangeVar: { alias: 'Alias' },
  RangeSubselect: { alias: 'Alias' },
  RangeFunction: { alias: 'Alias' },
  JoinExpr: { alias: 'Alias', join_using_alias: 'Alias' },
  A_Const: { ival: 'Integer', fval: 'Float', boolval: 'Boolean', sval: 'String', bsval: 'BitString' },
};

const FIELDS = Object.fromEntries(
  Object.entries(NODES).map(([node, fields]) => [node, new Set(fields.split(/\s+/).concat('location'))]),
);

/** Fields whose being there is what a refusal is about. */
const TELLING = { intoClause: 'into', lockingClause: 'lock' };

/** Values of the session that say nothing about it but the time. */
const TIME_VALUES = /^SVFOP_(CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)(_N)?$/;

/** Loads the grammar and lets it run once: its first statement takes as long as a hundred others. */
export async function prepareGuard() {
  await loadModule();
  parseSync('SELECT 1');
}

/**
 * Returns the statement to run, or throws `Refused`.
 * `allowed.tables`: `{ schema, name, visible }` of each; `visible`: the bare name leads to it.
 * `allowed.types`: names of the columns' own types (`order_status`). `allowed.computed`: functions that a column of
 * their name would call.
 */
export function guard(sql, allowed) {
  assertPlainText(sql);
  const statements = parse(sql);
  if (statements.length !== 1) throw new Refused('not_one_statement');
  const [{ stmt }] = statements;
  if (!('SelectStmt' in stmt)) throw new Refused('not_a_select');
  withinStack(() => visitNode(stmt, { ...allowed, ctes: [] }));
  return sql;
}

function parse(sql) {
  try {
    return parseSync(sql).stmts ?? [];
  } catch {
    throw new Refused('unparsable');
  }
}

/** Checks beyond the list; `SelectStmt` answers with the scope of what is below it. */
const VISITORS = {
  SelectStmt: visitSelect,
  RangeVar: visitTable,
  FuncCall: visitFunction,
  TypeName: visitType,
  A_Expr: ({ name }) => void assertPlainOperator(name),
  SubLink: ({ operName = [] }) => void assertPlainOperator(operName),
  ColumnRef: ({ fields }, scope) => assertNotComputed(fields, scope),
  A_Indirection: ({ indirection }, scope) => assertNotComputed(indirection, scope),
  CollateClause: ({ collname }) => void (collname.length === 1 || refuse('construct', nameOf(collname.at(-1)))),
  SQLValueFunction: ({ op }) => void (TIME_VALUES.test(op) || refuse('function', op.slice('SVFOP_'.length))),
};

function refuse(reason, near) {
  throw new Refused(reason, near);
}

const nameOf = (node) => node?.String?.sval ?? '';

/** A node with its name around it, a list of such, or a plain value. */
function visitNode(value, scope) {
  if (Array.isArray(value)) return value.forEach((item) => visitNode(item, scope));
  if (value === null || typeof value !== 'object') return;
  for (const [type, node] of Object.entries(value)) visit(type, node, scope);
}

function visit(type, node, scope) {
  const fields = FIELDS[type];
  if (fields === undefined) refuse(type.endsWith('Stmt') ? 'not_a_select' : 'construct');
  for (const field of Object.keys(node)) {
    if (!fields.has(field)) refuse(TELLING[field] ?? 'construct');
  }
  const inner = VISITORS[type]?.(node, scope) ?? scope;
  for (const [field, value] of Object.entries(node)) {
    // Walked by `visitSelect`, under the names that it knows.
    if (field === 'ctequery') continue;
    const bare = BARE[type]?.[field];
    if (bare !== undefined) visit(bare, value, inner);
    else visitNode(value, inner);
  }
}

/**
 * The names of a WITH are tables in the rest of the statement, and in the queries behind them; with RECURSIVE in all of
 * its queries. Before that they may be real tables of the same name.
 */
function visitSelect({ withClause }, scope) {
  if (withClause === undefined) return scope;
  const names = (withClause.ctes ?? []).map(({ CommonTableExpr }) => CommonTableExpr?.ctename);
  const inner = { ...scope, ctes: [...scope.ctes, ...names] };
  (withClause.ctes ?? []).forEach(({ CommonTableExpr }, index) => {
    const known = withClause.recursive ? names : names.slice(0, index);
    visitNode(CommonTableExpr?.ctequery, { ...scope, ctes: [...scope.ctes, ...known] });
  });
  return inner;
}

function visitTable({ schemaname, relname }, scope) {
  if (schemaname === undefined && scope.ctes.includes(relname)) return;
  const isNamed = scope.tables.some(
    ({ schema, name, visible }) => name === relname && (schemaname === undefined ? visible : schema === schemaname),
  );
  if (!isNamed) refuse('table', relname);
}

function visitFunction({ funcname, args = [] }) {
  const names = funcname.map(nameOf);
  const name = names.at(-1);
  const isBuiltIn = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog');
  if (!isBuiltIn || !FUNCTIONS.has(name)) refuse('function', name);
  if (!PADDING_FUNCTIONS.has(name)) return;
  const length = args[1]?.A_Const?.ival;
  // The tree leaves out zeros.
  if (length === undefined || (length.ival ?? 0) > PADDING_MAX) refuse('padding', name);
}

function visitType({ names = [] }, { types }) {
  const parts = names.map(nameOf);
  const name = parts.at(-1);
  const isBuiltIn = TYPES.has(name) && (parts.length === 1 || parts[0] === 'pg_catalog');
  if (!isBuiltIn && !types.includes(name)) refuse('type', name);
}

function assertPlainOperator(name) {
  if (name.length > 1 && nameOf(name[0]) !== 'pg_catalog') refuse('construct', nameOf(name[0]));
}

function assertNotComputed(fields, { computed }) {
  const name = fields.map(nameOf).find((field) => computed.includes(field));
  if (name !== undefined) refuse('function', name);
}
