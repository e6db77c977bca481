import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { AimeeGrant } from '../../../../../contract/aimee-conversations.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { EmptyState, Fault, Loaded } from '../../ui/states.tsx';
import { AccessLog } from './access-log.tsx';
import { endGrant, forgetGrants, useGrants } from './grants-data.ts';

/** Who else may read, and who has: nobody, unless the customer lends conversations. */
export function SupportAccess({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  return (
    <Loaded query={useGrants()}>
      {(all) => {
        const grants = all.filter((grant) => grant.site === site.id);
        return (
          <>
            <Card
              title={t('pages.aimee.support.title')}
              actions={<LinkButton href="?tab=conversations">{t('pages.aimee.support.choose')}</LinkButton>}
            >
              <p className="muted narrow">{t('pages.aimee.support.text')}</p>
              {grants.length === 0 ? (
                <EmptyState icon="locked" title={t('pages.aimee.support.none')} />
              ) : (
                <ul className="grants">
                  {grants.map((grant) => (
                    <Grant key={grant.id} grant={grant} />
                  ))}
                </ul>
              )}
            </Card>
            <AccessLog isWatched={all.some(({ ended }) => ended === null)} />
          </>
        );
      }}
    </Loaded>
  );
}

const MINUTE_MS = 60_000;

function Grant({ grant }: { readonly grant: AimeeGrant }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => endGrant(grant.id),
    onSuccess: () => forgetGrants(client),
  });
  const { reason, ended, createdAt, endsAt, conversations, reads } = grant;
  const minutes = Math.max(0, Math.ceil((Date.parse(endsAt) - Date.now()) / MINUTE_MS));
  return (
    <li className="grant">
      <div className="row spread">
        <div className="stack">
          <p>{reason}</p>
          <p className="muted small">
            {t('pages.aimee.support.about', { count: conversations.length })} ·{' '}
            {t('pages.aimee.support.reads', { count: reads })} · {format.time(createdAt)}
          </p>
        </div>
        {ended === null ? (
          <div className="row">
            <Badge tone="warn">{t('pages.aimee.support.open', { count: minutes })}</Badge>
            <Button kind="danger" isPending={end.isPending} onPress={() => end.mutate()}>
              {t('pages.aimee.support.end')}
            </Button>
          </div>
        ) : (
          <Badge>{t(`pages.aimee.support.ended.${ended.by}`, { time: format.time(ended.at) })}</Badge>
        )}
      </div>
      {end.error && <Fault error={end.error} />}
    </li>
  );
}
