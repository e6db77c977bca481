import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { RightsRequest } from '../../../../../contract/rights.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import './rights.css';

type State = RightsRequest['state'];
/** What requests of account holders and of visitors have in common. */
export type Clocked = Pick<
  RightsRequest,
  'state' | 'kind' | 'receivedOn' | 'dueOn' | 'daysLeft' | 'endedOn' | 'extension' | 'refusal' | 'reminder'
>;

const TONES: Partial<Record<State, Tone>> = { done: 'good', refused: 'bad', received: 'warn' };

export function StateBadge({ state }: { readonly state: State }): ReactNode {
  const { t } = useTranslation();
  return <Badge tone={TONES[state] ?? 'brand'}>{t(`pages.rights.states.${state}`)}</Badge>;
}

/** How much time is left, and what was said about it. */
export function Clock({ of }: { readonly of: Clocked }): ReactNode {
  const { t } = useTranslation();
  const { dueOn, daysLeft, endedOn, extension, refusal, reminder } = of;
  return (
    <span className="stack clock">
      {daysLeft === null ? (
        <span>{t('pages.rights.clock.ended', { day: endedOn })}</span>
      ) : (
        <span className="row">
          <span>{t('pages.rights.clock.due', { day: dueOn })}</span>
          <Badge tone={daysLeft < 0 ? 'bad' : reminder > 0 ? 'warn' : 'neutral'}>
            {daysLeft < 0
              ? t('pages.rights.clock.overdue', { count: -daysLeft })
              : t('pages.rights.clock.left', { count: daysLeft })}
          </Badge>
        </span>
      )}
      {extension && (
        <span className="muted">{t('pages.rights.clock.extended', { reason: extension.reason })}</span>
      )}
      {refusal !== null && (
        <span className="muted">{t('pages.rights.clock.refused', { reason: refusal })}</span>
      )}
    </span>
  );
}
