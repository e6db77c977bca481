import { parameterNames } from './sql-text.mjs';
import { SqlFault } from './faults.mjs';

/** Values of SQLite as JSON without loss: whole numbers that a double cannot hold as text, bytes as base64. */
export function toWire(value) {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : { int: String(value) };
  }
  if (Buffer.isBuffer(value)) return { base64: value.toString('base64') };
  // JSON knows no infinity.
  return value === Infinity || value === -Infinity ? String(value) : value;
}

function fromWire(value) {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  // Otherwise the driver would store 5 as 5.0 where a column has no type.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null || typeof value === 'string') return value;
  if (/^-?[0-9]{1,19}$/.test(value.int)) return BigInt(value.int);
  if (typeof value.base64 === 'string') return Buffer.from(value.base64, 'base64');
  throw new SqlFault('bad_parameters');
}

/**
 * Binds the parameters of a prepared statement: a list fills `?` in order or `?1`, `?2`, …; an object fills `:name`,
 * `@name`, `$name`, its keys with or without that letter.
 */
export function bind(statement, { sql, params = [] }) {
  const values = Array.isArray(params) ? fromList(sql, params) : [fromObject(params)];
  try {
    return statement.bind(...values);
  } catch {
    throw new SqlFault('bad_parameters');
  }
}

function fromObject(params) {
  const named = Object.entries(params).map(([name, value]) => [name.replace(/^[:@$]/, ''), fromWire(value)]);
  return Object.fromEntries(named);
}

function fromList(sql, params) {
  const values = params.map(fromWire);
  const names = parameterNames(sql);
  if (names.every((name) => name === '')) return values;
  // A value that no parameter takes would be left out without a word.
  if (Math.max(...names.map(Number)) !== values.length || names.includes(''))
    throw new SqlFault('bad_parameters');
  return [Object.fromEntries(values.map((value, index) => [index + 1, value]))];
}
