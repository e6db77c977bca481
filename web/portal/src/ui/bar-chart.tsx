import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from './format.ts';

export interface Bar {
  /** The UTC day, `2026-11-23`. */
  readonly label: string;
  /** Drawn from the bottom: first what went well, then what failed. */
  readonly good: number;
  readonly bad: number;
}

/** As many days as find room below the bars of a narrow screen. */
const LABELS_MAX = 4;

/** Bars by day, and the same numbers as a table for whoever cannot see them. */
export function BarChart(props: {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly goodName: string;
  readonly badName: string;
}): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { bars, goodName, badName } = props;
  const top = roundUp(Math.max(...bars.map(({ good, bad }) => good + bad)));
  const every = Math.ceil(bars.length / LABELS_MAX);
  return (
    <figure className="chart">
      <div className="plot" aria-hidden="true">
        <div className="ticks">
          {[top, top / 2, 0].map((value) => (
            <span key={value}>{format.number(value)}</span>
          ))}
        </div>
        <div className="bars">
          {bars.map(({ label, good, bad }, at) => (
            <div key={label} className="bar" title={`${format.day(label)}: ${format.number(good + bad)}`}>
              <div className="bad" style={{ blockSize: `${(bad / top) * 100}%` }} />
              <div className="good" style={{ blockSize: `${(good / top) * 100}%` }} />
              {(bars.length - 1 - at) % every === 0 && <span className="day">{format.day(label)}</span>}
            </div>
          ))}
        </div>
      </div>
      <figcaption className="legend" aria-hidden="true">
        <span className="good">{goodName}</span>
        <span className="bad">{badName}</span>
      </figcaption>
      <div className="visually-hidden">
        <table>
          <caption>{props.title}</caption>
          <thead>
            <tr>
              <th scope="col">{t('chart.day')}</th>
              <th scope="col">{goodName}</th>
              <th scope="col">{badName}</th>
            </tr>
          </thead>
          <tbody>
            {bars.map(({ label, good, bad }) => (
              <tr key={label}>
                <th scope="row">{format.day(label)}</th>
                <td>{format.number(good)}</td>
                <td>{format.number(bad)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

/** The next number of 2, 4, 6, 8, 10, 20, 40, …: its half is a whole number, too. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value) ?? power;
}
