import { expect, it } from 'vitest';
import { VectorFilter } from '../../../../../contract/vectors.ts';
import { type FilterRow, type Operator, filterOf } from './filter.ts';

const row = (field: string, operator: Operator, value: string): FilterRow => ({
  key: 0,
  field,
  operator,
  value,
});

it('reads conditions as the API takes them', () => {
  const filter = filterOf([
    row('year', 'gte', '2024'),
    row('year', 'lt', '2026'),
    row('team', 'in', 'red, "7", 8'),
    row('draft', 'eq', 'false'),
    row('code', 'eq', '"007"'),
    row('owner', 'exists', 'true'),
    row(' ', 'eq', 'left out'),
  ]);
  expect(filter).toEqual({
    year: { gte: 2024, lt: 2026 },
    team: { in: ['red', '7', 8] },
    draft: { eq: false },
    code: { eq: '007' },
    owner: { exists: true },
  });
  expect(VectorFilter.parse(filter)).toEqual(filter);
});

it('sends no filter without conditions', () => {
  expect(filterOf([])).toBeUndefined();
});
