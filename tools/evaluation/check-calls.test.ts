import { describe, expect, it } from 'vitest';
import type { Json } from '../../server/functions/spec.ts';
import { evaluationCases } from './cases.ts';
import { type AllowedValues, type ExpectedCall, type MadeCall, checkCalls } from './check-calls.ts';

const only = (...values: Json[]): AllowedValues => ({ values, isOptional: false });
const maybe = (...values: Json[]): AllowedValues => ({ values, isOptional: true });
const weather = (city: string): ExpectedCall => ({
  function: 'weather',
  arguments: { city: only(city), unit: maybe('celsius') },
});
const made = (name: string, args: MadeCall['arguments']): MadeCall => ({ function: name, arguments: args });

describe('a call', () => {
  const expected = [weather('Bern')];

  it('is right with each allowed value, and without what may be left out', () => {
    expect(checkCalls(expected, [made('weather', { city: 'Bern' })])).toBeUndefined();
    expect(checkCalls(expected, [made('weather', { city: 'Bern', unit: 'celsius' })])).toBeUndefined();
    const krakow: ExpectedCall = { function: 'weather', arguments: { city: only('Krakow', 'Kraków') } };
    expect(checkCalls([krakow], [made('weather', { city: 'Kraków' })])).toBeUndefined();
  });

  it.each([
    ['another value', { city: 'Basel' }],
    ['another value of what may be left out', { city: 'Bern', unit: 'kelvin' }],
    ['a missing argument', { unit: 'celsius' }],
    ['an argument too many', { city: 'Bern', day: 'today' }],
    ['text that is no JSON object', undefined],
  ])('is wrong with %s', (_, args) => {
    expect(checkCalls(expected, [made('weather', args)])).toBe('arguments');
  });

  it('is wrong when it is of another function, missing, or one too many', () => {
    expect(checkCalls(expected, [made('time', { city: 'Bern' })])).toBe('function');
    expect(checkCalls(expected, [])).toBe('no call');
    expect(checkCalls(expected, [made('weather', { city: 'Bern' }), made('weather', {})])).toBe(
      'number of calls',
    );
    expect(checkCalls([], [made('weather', { city: 'Bern' })])).toBe('needless call');
    expect(checkCalls([], [])).toBeUndefined();
  });

  it('has its body checked field by field, whatever their order, and each value by its type', () => {
    const pay: ExpectedCall = {
      function: 'pay',
      arguments: { 'body.amount': only(25.5), 'body.to': only({ name: 'Ada', ids: [1, 2] }) },
    };
    const paid = (amount: Json, ids: Json): MadeCall =>
      made('pay', { body: { to: { ids, name: 'Ada' }, amount } });
    expect(checkCalls([pay], [paid(25.5, [1, 2])])).toBeUndefined();
    expect(checkCalls([pay], [paid('25.5', [1, 2])])).toBe('arguments');
    expect(checkCalls([pay], [paid(25.5, [2, 1])])).toBe('arguments');
    expect(checkCalls([pay], [made('pay', { body: 'text' })])).toBe('arguments');
  });
});

describe('parallel calls', () => {
  it('may come in any order, each once', () => {
    const expected = [weather('Bern'), weather('Oslo')];
    const [bern, oslo] = [made('weather', { city: 'Bern' }), made('weather', { city: 'Oslo' })] as const;
    expect(checkCalls(expected, [oslo, bern])).toBeUndefined();
    expect(checkCalls(expected, [bern, bern])).toBe('arguments');
  });

  it('are paired even where one call fits two expected ones', () => {
    const either: ExpectedCall = { function: 'weather', arguments: { city: only('Bern', 'Oslo') } };
    const calls = [made('weather', { city: 'Bern' }), made('weather', { city: 'Oslo' })];
    expect(checkCalls([either, weather('Bern')], calls)).toBeUndefined();
  });
});

describe('the cases', () => {
  const cases = evaluationCases();

  it('are enough of each class, which take turns so that the first few are of every one', () => {
    const classes = ['simple', 'multiple', 'parallel', 'irrelevance'];
    expect(cases.slice(0, 4).map((one) => one.class)).toEqual(classes);
    for (const name of classes)
      expect(cases.filter((one) => one.class === name).length).toBeGreaterThanOrEqual(12);
  });

  it('are all answered right by the recorded calls', () => {
    for (const { question, calls, recorded, tools } of cases) {
      expect(checkCalls(calls, recorded), question).toBeUndefined();
      for (const call of recorded)
        expect(
          tools.find(({ name }) => name === call.function)?.check(call.arguments ?? {}),
          question,
        ).toEqual([]);
    }
  });
});
