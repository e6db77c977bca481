import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { AimeeStatistics } from '../../../../../contract/aimee-conversations.ts';
import { Unlocked } from '../../shell/unlock.tsx';
import { Figure } from '../../ui/badge.tsx';
import { type Bar, BarChart } from '../../ui/bar-chart.tsx';
import { Segments } from '../../ui/choice.tsx';
import { useFormat, utcDay } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { daysAgo, daysBetween } from './data.ts';
import { ResetStatistics } from './reset-statistics.tsx';
import { useStatistics } from './statistics-data.ts';
import { Unanswered } from './unanswered.tsx';

const SPANS = ['7', '30', '90', 'all'] as const;
type Span = (typeof SPANS)[number];

/** Counters by day, which outlive purged conversations; and what to add to the knowledge next. */
export function Statistics({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const [span, setSpan] = useState<Span>('30');
  const from = span === 'all' ? undefined : daysAgo(Number(span) - 1);
  return (
    <>
      <Segments
        label={t('pages.aimee.statistics.span')}
        value={span}
        onChange={setSpan}
        options={SPANS.map((id) => ({ id, name: t(`pages.aimee.statistics.spanOf.${id}`) }))}
      />
      <Loaded query={useStatistics(site.id, from)}>
        {(statistics) =>
          statistics.total.messages === 0 ? (
            <EmptyState icon="aimee" title={t('pages.aimee.statistics.empty')} />
          ) : (
            <Numbers statistics={statistics} from={from} />
          )
        }
      </Loaded>
      <Card title={t('pages.aimee.unanswered.title')}>
        <Unlocked>
          <Unanswered site={site} />
        </Unlocked>
      </Card>
      <ResetStatistics site={site} />
    </>
  );
}

interface NumbersProps {
  readonly statistics: AimeeStatistics;
  readonly from: string | undefined;
}

function Numbers({ statistics, from }: NumbersProps): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { conversations, messages, answered, unanswered, up, down, handOvers } = statistics.total;
  const share = (part: number, other: number): string =>
    part + other === 0 ? '–' : format.percent(part / (part + other));
  return (
    <>
      <dl className="card figures">
        <Figure label={t('pages.aimee.statistics.conversations')} value={format.number(conversations)} />
        <Figure label={t('pages.aimee.statistics.messages')} value={format.number(messages)} />
        <Figure
          label={t('pages.aimee.statistics.answered')}
          value={share(answered, unanswered)}
          note={t('pages.aimee.statistics.unansweredOf', { count: unanswered })}
        />
        <Figure
          label={t('pages.aimee.statistics.helpful')}
          value={share(up, down)}
          note={t('pages.aimee.statistics.ratings', { up, down })}
        />
        <Figure label={t('pages.aimee.statistics.handOvers')} value={format.number(handOvers)} />
      </dl>
      <div className="grid wide">
        <Card title={t('pages.aimee.statistics.perDay')}>
          <BarChart
            title={t('pages.aimee.statistics.perDay')}
            bars={barsOf({ statistics, from }, (day) => [day.answered, day.unanswered])}
            goodName={t('pages.aimee.statistics.answered')}
            badName={t('pages.aimee.statistics.unanswered')}
          />
        </Card>
        <Card title={t('pages.aimee.statistics.feedback')}>
          <BarChart
            title={t('pages.aimee.statistics.feedback')}
            bars={barsOf({ statistics, from }, (day) => [day.up, day.down])}
            goodName={t('pages.aimee.statistics.helpful')}
            badName={t('pages.aimee.statistics.notHelpful')}
          />
        </Card>
      </div>
    </>
  );
}

type Day = AimeeStatistics['days'][number];

/** A bar for every day, also for those on which nobody asked. */
function barsOf(
  { statistics: { days }, from }: NumbersProps,
  valuesOf: (day: Day) => readonly [number, number],
): Bar[] {
  const byDay = new Map(days.map((day) => [day.day, day]));
  const first = from ?? days[0]?.day ?? utcDay();
  return daysBetween(first, utcDay()).map((label) => {
    const day = byDay.get(label);
    const [good, bad] = day === undefined ? [0, 0] : valuesOf(day);
    return { label, good, bad };
  });
}
