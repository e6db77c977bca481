import { z } from 'zod';
import type { SqlResult, TableSchema } from '../sql.ts';
import { externalErrors } from './external-errors.ts';

/** The jailed process reads what strangers send, and may be taken over: what it answers is checked like a stranger's. */
const value = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.strictObject({ base64: z.string() }),
  z.strictObject({ int: z.string().regex(/^-?\d{1,40}$/) }),
]);

const result = z.strictObject({
  columns: z.array(z.string()),
  rows: z.array(z.array(value)),
  truncated: z.boolean(),
});

const comment = z.string().nullable();

const schema = z.array(
  z.strictObject({
    name: z.string(),
    kind: z.enum(['table', 'view']),
    columns: z.array(
      z.strictObject({
        name: z.string(),
        type: z.string(),
        nullable: z.boolean(),
        primaryKey: z.boolean(),
        comment,
      }),
    ),
    foreignKeys: z.array(z.strictObject({ column: z.string(), table: z.string(), references: z.string() })),
    comment,
  }),
);

export function readResult(answer: unknown): SqlResult {
  return checked(result, answer);
}

export function readSchema(answer: unknown): TableSchema[] {
  return checked(schema, answer);
}

function checked<T>(shape: z.ZodType<T>, answer: unknown): T {
  const { success, data } = shape.safeParse(answer);
  if (!success) throw externalErrors.unreachable();
  return data;
}
