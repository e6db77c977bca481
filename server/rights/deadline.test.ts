import { describe, expect, test } from 'vitest';
import { type Holidays, addMonths, daysBetween, dueOn, reminderOn } from './deadline.ts';

const NONE: Holidays = new Set();
const CHRISTMAS: Holidays = new Set(['12-25', '12-26', '2027-03-26', '2027-03-29']);

/** Every day of five years, two leap ones among them. */
const DAYS = Array.from({ length: 5 * 365 + 2 }, (_, at) =>
  new Date(Date.UTC(2024, 0, 1 + at)).toISOString().slice(0, 10),
);

describe('the month in which a request is answered', () => {
  test.each([
    // The examples of the European Data Protection Board, and the ends of months.
    ['2026-03-05', '2026-04-06', 'a Sunday gives way to Monday'],
    ['2026-08-31', '2026-09-30', 'a month without such a day ends with its last'],
    ['2027-01-31', '2027-03-01', 'the end of February is a Sunday'],
    ['2024-01-31', '2024-02-29', 'leap years have a day more'],
    ['2025-01-31', '2025-02-28', 'and others have not'],
    ['2026-11-30', '2026-12-30', 'not the last of the month, but the same day'],
    ['2026-12-15', '2027-01-15', 'over the turn of the year'],
  ])('from %s ends on %s: %s', (receivedOn, expected) => {
    expect(dueOn(receivedOn, false, NONE)).toBe(expected);
  });

  test('ends on no holiday that the operator has listed, once or for every year', () => {
    expect(dueOn('2026-11-25', false, NONE)).toBe('2026-12-25');
    expect(dueOn('2026-11-25', false, CHRISTMAS)).toBe('2026-12-28');
    expect(dueOn('2027-02-26', false, CHRISTMAS)).toBe('2027-03-30');
  });

  test('is three months when it was extended, counted from the first day', () => {
    expect(dueOn('2026-11-30', true, NONE)).toBe('2027-03-01');
    expect(dueOn('2026-01-31', true, NONE)).toBe('2026-04-30');
  });

  test.each([false, true])(
    'ends on a working day, never early and at most a long weekend late (%s)',
    (isExtended) => {
      for (const day of DAYS) {
        const due = dueOn(day, isExtended, CHRISTMAS);
        const exact = addMonths(day, isExtended ? 3 : 1);
        expect([0, 6]).not.toContain(new Date(due).getUTCDay());
        expect(CHRISTMAS.has(due) || CHRISTMAS.has(due.slice(5))).toBe(false);
        const late = daysBetween(exact, due);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(4);
      }
    },
  );

  test('never ends earlier for a request that came later', () => {
    for (const [at, day] of DAYS.entries()) {
      const before = DAYS[at - 1];
      if (before !== undefined)
        expect(dueOn(day, false, CHRISTMAS) >= dueOn(before, false, CHRISTMAS)).toBe(true);
    }
  });

  test('added one after the other stay in the calendar: no month is skipped, no day is beyond the first', () => {
    for (const day of DAYS) {
      const [year, month, date] = addMonths(day, 1).split('-').map(Number);
      const [fromYear = 0, fromMonth = 0, fromDate = 0] = day.split('-').map(Number);
      expect(month).toBe((fromMonth % 12) + 1);
      expect(year).toBe(fromMonth === 12 ? fromYear + 1 : fromYear);
      expect(date).toBeLessThanOrEqual(fromDate);
      expect(date).toBeGreaterThanOrEqual(Math.min(fromDate, 28));
    }
  });
});

describe('a reminder', () => {
  test('is due 20 and 27 days into the month, and before the time is over', () => {
    expect(reminderOn('2026-12-12', '2026-11-23', false)).toBe(0);
    expect(reminderOn('2026-12-13', '2026-11-23', false)).toBe(20);
    expect(reminderOn('2026-12-19', '2026-11-23', false)).toBe(20);
    expect(reminderOn('2026-12-20', '2026-11-23', false)).toBe(27);
    for (const day of DAYS) expect(reminderOn(dueOn(day, false, NONE), day, false)).toBe(27);
  });

  test('of an extended request is due in its last month', () => {
    expect(reminderOn('2027-02-11', '2026-11-23', true)).toBe(0);
    expect(reminderOn('2027-02-12', '2026-11-23', true)).toBe(20);
    expect(reminderOn('2027-02-19', '2026-11-23', true)).toBe(27);
  });
});
