import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';

/**
 * CHECK that leaves a column no room for anything but ids of one kind. `octet_length` beside the pattern,
 * because GLOB and length() end at a NUL byte and would let text hide behind one.
 */
export function isId(
  column: string,
  prefix: 'acct' | 'bld' | 'conv' | 'db' | 'fn' | 'grant' | 'key' | 'req' | 'rst' | 'site' | 'src',
): RawBuilder<boolean> {
  const start = `${prefix}_`;
  return sql.raw(
    `octet_length(${column}) = ${start.length + 20} and substr(${column}, 1, ${start.length}) = '${start}'` +
      ` and substr(${column}, ${start.length + 1}) not glob '*[^0-9A-Za-z]*'`,
  );
}
