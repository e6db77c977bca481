import { expect, test } from 'vitest';
import { type KeptConversation, faultsOf } from './visitor-crowd.ts';

const crowd = { sites: ['site_a', 'site_b'], name: 'all' };
const answer = (mark: string): string => `It is the red one, ${mark}.`;
const entry = (number: number, mark: string, said = answer(mark)) => ({
  number,
  question: `Where is it? ${mark}`,
  answer: said,
});
const told = (site: string, reference: string, number: number, mark: string) => ({
  site,
  reference,
  number,
  mark,
  answer: answer(mark),
});

/** Two visitors, one of each site. */
const result = {
  acknowledged: [
    told('site_a', 'A', 1, '#all-0-1'),
    told('site_a', 'A', 2, '#all-0-2'),
    told('site_b', 'B', 1, '#all-1-1'),
  ],
  sent: ['#all-0-1', '#all-0-2', '#all-1-1', '#all-1-2'],
};
const whole = { reference: 'A', messages: 2, entries: [entry(1, '#all-0-1'), entry(2, '#all-0-2')] };
const other = { reference: 'B', messages: 1, entries: [entry(1, '#all-1-1')] };

function kindsIn(ofA: readonly KeptConversation[], ofB: readonly KeptConversation[]): string[] {
  const kept = new Map([
    ['site_a', ofA],
    ['site_b', ofB],
  ]);
  return [...new Set(faultsOf(crowd, result, kept).map(({ kind }) => kind))].toSorted();
}

test('what was told and is kept has no fault; what was called off may be kept, too', () => {
  expect(kindsIn([whole], [other])).toEqual([]);
  const calledOff = { ...other, messages: 2, entries: [...other.entries, entry(2, '#all-1-2')] };
  expect(kindsIn([whole], [calledOff])).toEqual([]);
});

test.each<[string, string[], KeptConversation[], KeptConversation[]]>([
  [
    'an answer is missing',
    ['lost'],
    [{ ...whole, messages: 1, entries: whole.entries.slice(0, 1) }],
    [other],
  ],
  ['a conversation is missing', ['lost'], [whole], []],
  ['a count is wrong', ['torn'], [{ ...whole, messages: 3 }], [other]],
  ['an answer is cut', ['torn'], [whole], [{ ...other, entries: [entry(1, '#all-1-1', 'It is')] }]],
  ['it is in another conversation than said', ['torn'], [whole], [{ ...other, reference: 'C' }]],
  ['it is with another site', ['crossed', 'torn'], [whole, other], []],
  ['it is there twice', ['crossed', 'torn'], [whole], [other, { ...other, reference: 'C' }]],
  ['nobody has sent it', ['crossed'], [whole, { ...other, entries: [entry(1, '#all-2-1')] }], [other]],
  [
    'it answers somebody else',
    ['crossed', 'torn'],
    [whole],
    [{ ...other, entries: [entry(1, '#all-1-1', answer('#all-0-1'))] }],
  ],
])('it shows when %s', (_, kinds, ofA, ofB) => {
  expect(kindsIn(ofA, ofB)).toEqual(kinds);
});
