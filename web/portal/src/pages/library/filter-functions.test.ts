import { expect, it } from 'vitest';
import type { FunctionResource } from '../../../../../contract/api-v1.ts';
import { type Filter, filterFunctions } from './filter-functions.ts';

const fn = (shortname: string, over: Partial<FunctionResource> = {}): FunctionResource => ({
  shortname,
  name: shortname.toUpperCase(),
  description: '',
  ownerName: 'olga',
  mine: true,
  active: true,
  published: false,
  createdAt: '2026-11-23T10:00:00Z',
  updatedAt: '2026-11-23T10:00:00Z',
  tags: [],
  ai: false,
  versions: [],
  ...over,
});

it('finds functions by words anywhere, by all chosen tags, and by whose they are', () => {
  const functions = [
    fn('greeter', { description: 'Greets people', tags: ['text', 'demo'] }),
    fn('thumb', { tags: ['image', 'demo'], published: true }),
    fn('foreign', { mine: false, published: true, ownerName: 'Mike' }),
  ];
  const found = (filter: Partial<Filter>): string[] =>
    filterFunctions(functions, { words: '', tags: new Set(), shown: 'all', ...filter }).map(
      (one) => one.shortname,
    );
  expect(found({})).toEqual(['greeter', 'thumb', 'foreign']);
  expect(found({ words: ' PEOPLE  greet ' })).toEqual(['greeter']);
  expect(found({ words: 'mike' })).toEqual(['foreign']);
  expect(found({ tags: new Set(['demo']) })).toEqual(['greeter', 'thumb']);
  expect(found({ tags: new Set(['demo', 'image']) })).toEqual(['thumb']);
  expect(found({ shown: 'mine' })).toEqual(['greeter', 'thumb']);
  expect(found({ shown: 'published', words: 'thumb' })).toEqual(['thumb']);
});
