import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

export interface Bar {
  readonly label: string;
  /** Drawn from the bottom: first what went well, then what failed. */
  readonly good: number;
  readonly bad: number;
}

const WIDTH = 640;
const HEIGHT = 180;
const BASE = HEIGHT - 22;

/** Bars by day, and the same numbers as a table for whoever cannot see them. */
export function BarChart(props: {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly goodName: string;
  readonly badName: string;
}): ReactNode {
  const { t } = useTranslation();
  const { bars } = props;
  const highest = Math.max(1, ...bars.map(({ good, bad }) => good + bad));
  const step = WIDTH / Math.max(bars.length, 1);
  const scale = (value: number): number => (value / highest) * (BASE - 8);
  const every = Math.ceil(bars.length / 8);
  return (
    <figure className="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {bars.map(({ label, good, bad }, at) => (
          <g key={label} transform={`translate(${at * step + step * 0.15} 0)`}>
            <title>{`${label}: ${good + bad}`}</title>
            <rect y={BASE - scale(good)} width={step * 0.7} height={scale(good)} rx="2" fill="var(--brand)" />
            <rect
              y={BASE - scale(good + bad)}
              width={step * 0.7}
              height={scale(bad)}
              rx="2"
              fill="var(--bad)"
            />
            {at % every === 0 && (
              <text x={step * 0.35} y={HEIGHT - 6} fontSize="11" textAnchor="middle" fill="var(--ink-2)">
                {label.slice(5)}
              </text>
            )}
          </g>
        ))}
        <line x1="0" x2={WIDTH} y1={BASE} y2={BASE} stroke="var(--line)" />
      </svg>
      <figcaption className="legend" aria-hidden="true">
        <span className="good">{props.goodName}</span>
        <span className="bad">{props.badName}</span>
      </figcaption>
      <table className="visually-hidden">
        <caption>{props.title}</caption>
        <thead>
          <tr>
            <th>{t('chart.day')}</th>
            <th>{props.goodName}</th>
            <th>{props.badName}</th>
          </tr>
        </thead>
        <tbody>
          {bars.map(({ label, good, bad }) => (
            <tr key={label}>
              <td>{label}</td>
              <td>{good}</td>
              <td>{bad}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
