import type * as z from 'zod';
import type { VectorFilter as FilterSchema } from '../../../../../contract/vectors.ts';

export type VectorFilter = z.infer<typeof FilterSchema>;

export const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'exists'] as const;
export type Operator = (typeof OPERATORS)[number];

/** One condition as the form holds it. */
export interface FilterRow {
  readonly key: number;
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
}

type Value = string | number | boolean | null;

/** All conditions together; undefined when there are none. Several of one field have to hold all. */
export function filterOf(rows: readonly FilterRow[]): VectorFilter | undefined {
  const filter: Record<string, Record<string, unknown>> = {};
  for (const { field, operator, value } of rows) {
    const name = field.trim();
    if (name !== '') filter[name] = { ...filter[name], [operator]: operandOf(operator, value) };
  }
  return Object.keys(filter).length === 0 ? undefined : (filter as VectorFilter);
}

function operandOf(operator: Operator, text: string): unknown {
  if (operator === 'exists') return text.trim() !== 'false';
  if (operator === 'in') return text.split(',').map(valueOf);
  return valueOf(text);
}

/** `2024` is a number, `true` a truth value, `"2024"` and everything else text. */
function valueOf(text: string): Value {
  const trimmed = text.trim();
  if (trimmed === 'true' || trimmed === 'false') return trimmed === 'true';
  if (trimmed === 'null') return null;
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  return /^".*"$/.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}
