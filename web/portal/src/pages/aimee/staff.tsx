import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import type { AimeeSupportGrants } from '../../../../../contract/aimee-conversations.ts';
import { useFormat } from '../../ui/format.ts';
import { BackLink } from '../../ui/back-link.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { useSupportConversation, useSupportGrants } from './grants-data.ts';
import { Transcript } from './transcript.tsx';

/** For the staff of the installation: what customers lend at present, and nothing else. */
export function StaffPage(): ReactNode {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const grants = useSupportGrants();
  const grantId = search.get('grant');
  const conversation = search.get('open');
  return (
    <>
      <BackLink href="/aimee" to={t('pages.aimee.title')} />
      <Page
        title={t('pages.aimee.staff.title')}
        lead={t('pages.aimee.staff.lead')}
        actions={<Button onPress={() => void grants.refetch()}>{t('pages.aimee.filter.refresh')}</Button>}
      >
        {grantId !== null && conversation !== null ? (
          <StaffReading key={`${grantId} ${conversation}`} grantId={grantId} id={conversation} />
        ) : (
          <Loaded query={grants}>
            {(lent) =>
              lent.length === 0 ? (
                <EmptyState icon="locked" title={t('pages.aimee.staff.none')}>
                  <p className="narrow">{t('pages.aimee.staff.noneText')}</p>
                </EmptyState>
              ) : (
                lent.map((grant) => <Lent key={grant.id} grant={grant} />)
              )
            }
          </Loaded>
        )}
      </Page>
    </>
  );
}

function Lent({ grant }: { readonly grant: AimeeSupportGrants['grants'][number] }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { id, account, siteName, reason, endsAt, conversations } = grant;
  return (
    <Card title={`${account.name} · ${siteName}`}>
      <p>{reason}</p>
      <p className="muted">{t('pages.aimee.staff.until', { time: format.time(endsAt) })}</p>
      <ul className="row plain">
        {conversations.map((conversation, at) => (
          <li key={conversation}>
            <LinkButton href={`?grant=${id}&open=${conversation}`}>
              {t('pages.aimee.staff.read', { number: at + 1 })}
            </LinkButton>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function StaffReading({ grantId, id }: { readonly grantId: string; readonly id: string }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const query = useSupportConversation(grantId, id);
  return (
    <Card
      title={t('pages.aimee.reading.title')}
      actions={<LinkButton href="/aimee/support">{t('pages.aimee.staff.back')}</LinkButton>}
    >
      <p className="notice warn">{t('pages.aimee.staff.logged')}</p>
      <Loaded query={query}>
        {({ startedAt, reference, entries, notes }) => (
          <>
            <p className="muted">
              {format.time(startedAt)} · {t('pages.aimee.reading.reference')} <code>{reference}</code>
            </p>
            <Transcript entries={entries} notes={notes} />
          </>
        )}
      </Loaded>
    </Card>
  );
}
