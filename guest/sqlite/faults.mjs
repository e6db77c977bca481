/** What the caller is told: a code that the server knows, and a reason without anything that he did not write. */
export class SqlFault extends Error {
  /** Which of several statements, or where in a text. */
  where = '';

  constructor(code, reason = '') {
    super(code);
    this.code = code;
    this.reason = reason;
  }
}

const CONSTRAINTS = {
  SQLITE_CONSTRAINT_UNIQUE: 'a value that must be unique is there already',
  SQLITE_CONSTRAINT_PRIMARYKEY: 'a primary key is there already',
  SQLITE_CONSTRAINT_ROWID: 'a row number is there already',
  SQLITE_CONSTRAINT_NOTNULL: 'a column that must have a value would have none',
  SQLITE_CONSTRAINT_CHECK: 'a CHECK constraint does not hold',
  SQLITE_CONSTRAINT_FOREIGNKEY: 'a foreign key would point nowhere',
  SQLITE_CONSTRAINT_DATATYPE: 'a value has not the type of its column',
  SQLITE_CONSTRAINT_TRIGGER: 'a trigger refused it',
};

const CODES = [
  [/^SQLITE_CONSTRAINT/, 'constraint'],
  [/^SQLITE_FULL/, 'database_full'],
  [/^SQLITE_NOMEM/, 'out_of_memory'],
  [/^SQLITE_TOOBIG/, 'value_too_large'],
  [/^SQLITE_(BUSY|LOCKED)/, 'writing_elsewhere'],
  [/^SQLITE_NOTADB/, 'wrong_key'],
  [/^SQLITE_(CORRUPT|IOERR|CANTOPEN)/, 'damaged'],
];

/** SQLite's messages that hold nothing but words of the statement; each of these words is looked for in it. */
const MESSAGES = [
  /^near "(.{1,80})": syntax error$/s,
  /^unrecognized token: "(.{1,80})"$/s,
  /^no such (?:table|column|function|index|view|trigger|collation sequence|module): (?:main\.)?(.{1,160})$/s,
  /^ambiguous column name: (.{1,160})$/s,
  /^(?:table|index|view|trigger) (.{1,160}) already exists$/s,
  /^there is already (?:a table|an index|another table or index) (?:named|with this name:) (.{1,160})$/s,
  /^table (.{1,160}) has \d+ columns? but \d+ values were supplied$/s,
  /^table (.{1,160}) has no column named (.{1,160})$/s,
  /^(?:wrong number of arguments to|misuse of (?:aggregate|window)(?: function)?|misuse of) (?:function )?(.{1,80})\(\)$/s,
  /^misuse of (?:aggregate|window function): (.{1,80})\(\)$/s,
  /^duplicate column name: (.{1,160})$/s,
  /^cannot modify (.{1,160}) because it is a view$/s,
  /^foreign key mismatch - "(.{1,160})" referencing "(.{1,160})"$/s,
  /^table (.{1,160}) may not be modified$/s,
  /^unsafe use of (.{1,80})\(\)$/s,
  /^\d+ values for \d+ columns$/,
  /^all VALUES must have the same number of terms$/,
  /^SELECTs to the left and right of [A-Z ]+ do not have the same number of result columns$/,
  /^sub-select returns \d+ columns - expected \d+$/,
  /^incomplete input$/,
  /^no tables specified$/,
  /^row value misused$/,
  /^datatype mismatch$/,
  /^integer overflow$/,
  /^malformed JSON$/,
  /^parser stack overflow$/,
  /^Expression tree is too large \(maximum depth \d+\)$/,
  /^too many (?:terms in (?:compound SELECT|ORDER BY clause|GROUP BY clause)|SQL variables|columns|arguments on function)/,
  /^ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint$/,
];

/** Any error of one of the two SQLite builds, or of the driver, as a fault of the statement. */
export function faultOf(error, sql) {
  if (error instanceof SqlFault) return error;
  const code = String(error?.code ?? '');
  if (!code.includes('SQLITE')) throw error;
  const own = CODES.find(([pattern]) => pattern.test(code))?.[1];
  if (own === 'constraint') return new SqlFault(own, CONSTRAINTS[code] ?? 'a constraint does not hold');
  if (own !== undefined) return new SqlFault(own);
  return new SqlFault('failed', safeReason(error.message, sql));
}

function safeReason(message, sql) {
  const [plain] = message.split(' - should this be a string literal');
  const written = sql.toLowerCase();
  for (const pattern of MESSAGES) {
    const found = pattern.exec(plain);
    if (found === null) continue;
    const words = found.slice(1).flatMap((name) => name.toLowerCase().replaceAll('"', '').split('.'));
    return words.every((word) => written.includes(word)) ? plain : '';
  }
  return '';
}

/** A name as the caller wrote it, or none when it comes from elsewhere: a view, a trigger, another table. */
export function writtenName(name, sql) {
  return name !== null && name.length <= 160 && sql.toLowerCase().includes(name.toLowerCase())
    ? ` "${name}"`
    : '';
}
