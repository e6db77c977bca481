/**
 * Days until an answer is due, as Article 12(3) GDPR and Regulation (EEC, Euratom) 1182/71 count them: calendar months, the
 * end of the month where it has no such day, and the next working day where the last one is none.
 */

/** `2026-11-23`, UTC. Days compare as text. */
export type Day = string;

const DAY_MS = 86_400_000;
const MONTHS = 1;
/** With the two that Article 12(3) allows. */
const MONTHS_EXTENDED = 3;
const REMINDER_DAYS = [27, 20] as const;

/** Days on which nobody works besides weekends: `2027-03-26`, or `12-25` for every year. */
export type Holidays = ReadonlySet<string>;

/** The last day on which the answer is in time. */
export function dueOn(receivedOn: Day, isExtended: boolean, holidays: Holidays): Day {
  let day = addMonths(receivedOn, isExtended ? MONTHS_EXTENDED : MONTHS);
  while (!isWorkingDay(day, holidays)) day = addDays(day, 1);
  return day;
}

/** Which reminder is due: 20 or 27 days into the month that ends the time, or 0 before that. */
export function reminderOn(today: Day, receivedOn: Day, isExtended: boolean): 0 | 20 | 27 {
  const lastMonth = addMonths(receivedOn, (isExtended ? MONTHS_EXTENDED : MONTHS) - 1);
  return REMINDER_DAYS.find((days) => today >= addDays(lastMonth, days)) ?? 0;
}

/** Whole days from the one to the other; negative when it lies before. */
export function daysBetween(from: Day, to: Day): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS;
}

/** The same day of a later month, or its last where it has no such day. */
export function addMonths(day: Day, months: number): Day {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const lastOfMonth = new Date(Date.UTC(year, month + months, 0));
  return dayOf(lastOfMonth.setUTCDate(Math.min(date, lastOfMonth.getUTCDate())));
}

function addDays(day: Day, days: number): Day {
  return dayOf(Date.parse(day) + days * DAY_MS);
}

function isWorkingDay(day: Day, holidays: Holidays): boolean {
  const isWeekend = [0, 6].includes(new Date(day).getUTCDay());
  return !isWeekend && !holidays.has(day) && !holidays.has(day.slice(5));
}

function dayOf(epochMs: number): Day {
  return new Date(epochMs).toISOString().slice(0, 10);
}
