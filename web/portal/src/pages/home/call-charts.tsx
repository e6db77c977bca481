import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CallStatistics } from '../../../../../contract/api-v1.ts';
import { request } from '../../api.ts';
import { Figure } from '../../ui/badge.tsx';
import { BarChart } from '../../ui/bar-chart.tsx';
import { Segments } from '../../ui/choice.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';

const RANGES = ['7', '31'] as const;
type Range = (typeof RANGES)[number];

/** How many calls there were, how many went well and how long they took: all that call records tell. */
export function CallCharts(): ReactNode {
  const { t } = useTranslation();
  const [range, setRange] = useState<Range>('7');
  const query = useQuery({
    queryKey: ['call-statistics', range],
    queryFn: ({ signal }) => request<CallStatistics>(`/api/v1/calls/statistics?days=${range}`, { signal }),
    placeholderData: keepPreviousData,
  });
  return (
    <Card
      title={t('pages.home.calls.title')}
      actions={
        <Segments
          label={t('pages.home.calls.range')}
          value={range}
          onChange={setRange}
          options={RANGES.map((id) => ({ id, name: t('pages.home.calls.days', { count: Number(id) }) }))}
        />
      }
    >
      <Loaded query={query}>{(statistics) => <Charts statistics={statistics} />}</Loaded>
      <p className="muted">{t('pages.home.calls.source')}</p>
    </Card>
  );
}

function Charts({ statistics: { days, durationMs } }: { readonly statistics: CallStatistics }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const calls = days.reduce((sum, day) => sum + day.calls, 0);
  const failures = days.reduce((sum, day) => sum + day.failures, 0);
  const duration = (percentile: 'p50' | 'p95' | 'p99'): string =>
    durationMs === null ? '–' : format.duration(durationMs[percentile]);
  return (
    <>
      <dl className="figures">
        <Figure label={t('pages.home.calls.count')} value={format.number(calls)} />
        <Figure
          label={t('pages.home.calls.success')}
          value={calls === 0 ? '–' : format.percent((calls - failures) / calls)}
          note={calls === 0 ? undefined : t('pages.home.calls.failed', { count: failures })}
        />
        <Figure label={t('pages.home.calls.p50')} value={duration('p50')} />
        <Figure label={t('pages.home.calls.p95')} value={duration('p95')} />
        <Figure label={t('pages.home.calls.p99')} value={duration('p99')} />
      </dl>
      <BarChart
        title={t('pages.home.calls.title')}
        goodName={t('pages.home.calls.good')}
        badName={t('pages.home.calls.bad')}
        bars={days.map((day) => ({ label: day.day, good: day.calls - day.failures, bad: day.failures }))}
      />
    </>
  );
}
