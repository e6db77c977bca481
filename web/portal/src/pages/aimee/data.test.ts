import { describe, expect, it } from 'vitest';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { AimeeSiteForm } from '../../../../../contract/aimee.ts';
import { daysBetween, formOf, queryOf } from './data.ts';

describe('a span of days', () => {
  it('has every day once, both ends with it, also where clocks change', () => {
    expect(daysBetween('2026-02-27', '2026-03-02')).toEqual([
      '2026-02-27',
      '2026-02-28',
      '2026-03-01',
      '2026-03-02',
    ]);
    expect(daysBetween('2026-03-28', '2026-03-30')).toHaveLength(3);
    expect(daysBetween('2026-03-02', '2026-03-01')).toEqual([]);
  });
});

describe('a query', () => {
  it('leaves out what is empty and encodes the rest', () => {
    expect(queryOf({ from: '', to: undefined })).toBe('');
    expect(queryOf({ from: '2026-01-01', cursor: 'a&b=c' })).toBe('?from=2026-01-01&cursor=a%26b%3Dc');
  });
});

describe('the form of a site', () => {
  it('is what an update takes: nothing missing, nothing else', () => {
    const form = AimeeSiteForm.parse({ name: 'Morgenrot' });
    const site: AimeeSite = { id: 'site_1', createdAt: '2026-01-01T00:00:00Z', ...form };
    expect(AimeeSiteForm.parse(formOf(site))).toEqual(form);
  });
});
