import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams, useSearchParams } from 'react-router';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { BackLink } from '../../ui/back-link.tsx';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, Fault, Loaded } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Conversations } from './conversations.tsx';
import { useSites } from './data.ts';
import { type Draft, useDraft } from './draft.ts';
import { Knowledge } from './knowledge.tsx';
import { useKnowledgeUploads } from './knowledge-data.ts';
import { LookAndEmbed } from './look.tsx';
import { OnOff } from './overview.tsx';
import { Persona } from './persona.tsx';
import { SitePrivacy } from './privacy.tsx';
import { Statistics } from './statistics.tsx';
import { VisitorRequests } from './visitor-requests.tsx';
import { SupportAccess } from './support.tsx';

const TABS = [
  'conversations',
  'statistics',
  'knowledge',
  'persona',
  'look',
  'privacy',
  'requests',
  'support',
] as const;
type TabName = (typeof TABS)[number];

export function SitePage(): ReactNode {
  const { t } = useTranslation();
  const { siteId } = useParams();
  return (
    <>
      <BackLink href="/aimee" to={t('pages.aimee.title')} />
      <Loaded query={useSites()}>
        {({ sites, canSendMail }) => {
          const site = sites.find(({ id }) => id === siteId);
          return site === undefined ? (
            <EmptyState icon="aimee" title={t('pages.aimee.site.missing')} />
          ) : (
            <Site key={site.id} site={site} canSendMail={canSendMail} />
          );
        }}
      </Loaded>
    </>
  );
}

function Site({ site, canSendMail }: { readonly site: AimeeSite; readonly canSendMail: boolean }): ReactNode {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const draft = useDraft(site);
  const uploads = useKnowledgeUploads(site.id);
  const contents: Record<TabName, ReactNode> = {
    conversations: <Conversations site={site} />,
    statistics: <Statistics site={site} />,
    knowledge: <Knowledge site={site} uploads={uploads} />,
    persona: <Persona key={draft.revision} draft={draft} canSendMail={canSendMail} />,
    look: <LookAndEmbed key={draft.revision} site={site} draft={draft} />,
    privacy: <SitePrivacy site={site} />,
    requests: <VisitorRequests site={site} />,
    support: <SupportAccess site={site} />,
  };
  const wanted = search.get('tab');
  return (
    <Page title={site.name} lead={<OnOff isOn={site.isOn} />}>
      <Tabs<TabName>
        label={site.name}
        selected={TABS.find((name) => name === wanted) ?? 'conversations'}
        onSelect={(tab) => setSearch({ tab })}
        tabs={TABS.map((id) => ({ id, name: t(`pages.aimee.tabs.${id}`), content: contents[id] }))}
      />
      {draft.isChanged && <SaveBar draft={draft} />}
    </Page>
  );
}

/** Stays in sight while there is something to save, whichever view is shown. */
function SaveBar({ draft }: { readonly draft: Draft }): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="save-bar" aria-label={t('pages.aimee.draft.title')}>
      {draft.error && <Fault error={draft.error} />}
      <div className="row spread">
        <p role="status">{t('pages.aimee.draft.title')}</p>
        <div className="row">
          <Button onPress={draft.discard}>{t('pages.aimee.draft.discard')}</Button>
          <Button kind="primary" isPending={draft.isSaving} onPress={draft.save}>
            {t('pages.aimee.draft.save')}
          </Button>
        </div>
      </div>
    </section>
  );
}
