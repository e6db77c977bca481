import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams, useSearchParams } from 'react-router';
import { Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { BackToLibrary } from './back-to-library.tsx';
import { FunctionBadges } from './function-list.tsx';
import { type DocumentedFunction, useFunction } from './functions.ts';
import { Overview } from './overview.tsx';
import { OwnerActions } from './owner-actions.tsx';
import { Requirements } from './requirements/requirements.tsx';
import { Samples } from './samples.tsx';
import { TryIt } from './try-it/try-it.tsx';
import { Versions } from './versions.tsx';
import './library.css';

const TABS = ['overview', 'requirements', 'samples', 'try', 'versions'] as const;
type TabId = (typeof TABS)[number];

export function FunctionPage(): ReactNode {
  const { shortname = '' } = useParams();
  const query = useFunction(shortname);
  return (
    <>
      <BackToLibrary />
      <Loaded query={query}>{(documented) => <Described key={shortname} documented={documented} />}</Loaded>
    </>
  );
}

function Described({ documented }: { readonly documented: DocumentedFunction }): ReactNode {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const { fn } = documented;
  const selected = TABS.find((id) => id === search.get('tab')) ?? 'overview';
  return (
    <Page title={fn.name} lead={fn.description} actions={fn.mine && <OwnerActions fn={fn} />}>
      <div className="row">
        <code>{fn.shortname}</code>
        <FunctionBadges fn={fn} />
        {!fn.mine && <span className="muted">{t('pages.library.by', { owner: fn.ownerName })}</span>}
      </div>
      <Tabs<TabId>
        label={t('pages.library.views')}
        selected={selected}
        onSelect={(tab) => setSearch(tab === 'overview' ? {} : { tab }, { replace: true })}
        tabs={TABS.map((id) => ({
          id,
          name: t(`pages.library.tabs.${id}`),
          content: <View id={id} documented={documented} />,
        }))}
      />
    </Page>
  );
}

function View({
  id,
  documented,
}: {
  readonly id: TabId;
  readonly documented: DocumentedFunction;
}): ReactNode {
  const { fn, documents } = documented;
  const [document] = documents;
  const [version] = fn.versions;
  if (document === undefined || version === undefined) return null;
  switch (id) {
    case 'overview':
      return <Overview fn={fn} document={document} />;
    case 'requirements':
      return <Requirements requirements={document.requirements} />;
    case 'samples':
      return <Samples samples={document.languageSamples} />;
    case 'try':
      return <TryIt fn={fn} documents={documents} />;
    case 'versions':
      return <Versions fn={fn} documents={documents} />;
  }
}
