import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { useSession } from '../../session.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { CreateSite } from './create-site.tsx';
import { daysAgo, useSites } from './data.ts';
import { useStatistics } from './statistics-data.ts';

export function Overview(): ReactNode {
  const { t } = useTranslation();
  const { account } = useSession();
  const [isCreating, setCreating] = useState(false);
  const sites = useSites();
  const create = (
    <Button kind="primary" onPress={() => setCreating(true)}>
      <Icon name="plus" />
      {t('pages.aimee.create.open')}
    </Button>
  );
  return (
    <Page
      title={t('pages.aimee.title')}
      lead={t('pages.aimee.lead')}
      actions={
        <>
          {account.role === 'owner' && (
            <LinkButton href="/aimee/support">{t('pages.aimee.staff.title')}</LinkButton>
          )}
          {sites.data !== undefined && sites.data.sites.length > 0 && create}
        </>
      }
    >
      <CreateSite isOpen={isCreating} onClose={() => setCreating(false)} />
      <Loaded query={sites}>
        {(known) =>
          known.sites.length === 0 ? (
            <EmptyState icon="aimee" title={t('pages.aimee.empty.title')}>
              <p className="narrow">{t('pages.aimee.empty.text')}</p>
              {create}
            </EmptyState>
          ) : (
            <ul className="site-cards">
              {known.sites.map((site) => (
                <SiteCard key={site.id} site={site} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}

const SHOWN_DAYS = 7;

function SiteCard({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { data } = useStatistics(site.id, daysAgo(SHOWN_DAYS - 1));
  const { name, isOn, allowedOrigins } = site;
  return (
    <li className="card site-card">
      <div className="row spread">
        <h2>
          <Link to={`sites/${site.id}`}>{name}</Link>
        </h2>
        <OnOff isOn={isOn} />
      </div>
      <p className="muted">
        {allowedOrigins.length === 0 ? t('pages.aimee.site.anyOrigin') : allowedOrigins.join(', ')}
      </p>
      <p>
        {data === undefined
          ? ' '
          : t('pages.aimee.site.week', {
              count: data.total.messages,
              messages: format.number(data.total.messages),
              unanswered: format.number(data.total.unanswered),
            })}
      </p>
    </li>
  );
}

/** Whether visitors get answers. */
export function OnOff({ isOn }: { readonly isOn: boolean }): ReactNode {
  const { t } = useTranslation();
  return (
    <Badge tone={isOn ? 'good' : 'warn'}>{t(isOn ? 'pages.aimee.site.on' : 'pages.aimee.site.off')}</Badge>
  );
}
