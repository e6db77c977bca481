import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

export interface Format {
  number(value: number): string;
  percent(share: number): string;
  /** Milliseconds up to a second, seconds above. */
  duration(ms: number): string;
  bytes(count: number): string;
  /** Of a UTC day, `2026-11-23`. */
  day(value: string): string;
  /** Date and time of an RFC 3339 time, in the reader's zone. */
  time(value: string): string;
}

/** Numbers and times as the chosen language writes them. */
export function useFormat(): Format {
  const { language } = useTranslation().i18n;
  return useMemo(() => formatFor(language), [language]);
}

const KIB = 1024;

function formatFor(language: string): Format {
  const numbers = new Intl.NumberFormat(language);
  const percents = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const times = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const days = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const decimals = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return {
    number: (value) => numbers.format(value),
    percent: (share) => percents.format(share),
    duration: (ms) =>
      ms < 1000 ? `${numbers.format(Math.round(ms))} ms` : `${decimals.format(ms / 1000)} s`,
    bytes(count) {
      if (count < KIB) return `${numbers.format(count)} B`;
      return count < KIB * KIB
        ? `${decimals.format(count / KIB)} KiB`
        : `${decimals.format(count / KIB / KIB)} MiB`;
    },
    day: (value) => days.format(new Date(value)),
    time: (value) => times.format(new Date(value)),
  };
}

/** The day of a time in UTC, as the server counts days: `2026-01-31`. */
export function utcDay(time: Date = new Date()): string {
  return time.toISOString().slice(0, 10);
}
