import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { FunctionResource } from '../../../../../contract/api-v1.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Chips, Segments } from '../../ui/choice.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Page } from '../../ui/page.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { type Filter, SHOWN, filterFunctions, tagsOf } from './filter-functions.ts';
import { functionPath, useFunctions } from './functions.ts';
import './library.css';

const EVERYTHING: Filter = { words: '', tags: new Set(), shown: 'all' };

export function FunctionList(): ReactNode {
  const { t } = useTranslation();
  const query = useFunctions();
  return (
    <Page
      title={t('pages.library.title')}
      lead={t('pages.library.lead')}
      actions={
        <LinkButton kind="primary" href="/library/deploy">
          <Icon name="upload" />
          {t('pages.library.deploy.action')}
        </LinkButton>
      }
    >
      <Loaded query={query}>
        {(functions) =>
          functions.length === 0 ? (
            <EmptyState title={t('pages.library.empty.title')} icon="library">
              <p>{t('pages.library.empty.why')}</p>
              <LinkButton href="/library/deploy">{t('pages.library.deploy.action')}</LinkButton>
            </EmptyState>
          ) : (
            <Filtered functions={functions} />
          )
        }
      </Loaded>
    </Page>
  );
}

function Filtered({ functions }: { readonly functions: readonly FunctionResource[] }): ReactNode {
  const { t } = useTranslation();
  const [filter, setFilter] = useState(EVERYTHING);
  const found = filterFunctions(functions, filter);
  const tags = tagsOf(functions);
  return (
    <>
      <div className="library-filter">
        <SearchField
          label={t('pages.library.search')}
          value={filter.words}
          onChange={(words) => setFilter({ ...filter, words })}
        />
        <Segments
          label={t('pages.library.show')}
          value={filter.shown}
          onChange={(shown) => setFilter({ ...filter, shown })}
          options={SHOWN.map((id) => ({ id, name: t(`pages.library.shown.${id}`) }))}
        />
      </div>
      {tags.length > 0 && (
        <Chips
          label={t('pages.library.tags')}
          value={filter.tags}
          onChange={(chosen) => setFilter({ ...filter, tags: chosen })}
          options={tags.map((tag) => ({ id: tag, name: tag }))}
        />
      )}
      <p className="muted" role="status">
        {t('pages.library.found', { count: found.length })}
      </p>
      {found.length === 0 ? (
        <EmptyState title={t('pages.library.nothing')} icon="search">
          <Button onPress={() => setFilter(EVERYTHING)}>{t('pages.library.everything')}</Button>
        </EmptyState>
      ) : (
        <ul className="function-cards">
          {found.map((fn) => (
            <FunctionCard key={fn.shortname} fn={fn} />
          ))}
        </ul>
      )}
    </>
  );
}

function FunctionCard({ fn }: { readonly fn: FunctionResource }): ReactNode {
  const { t } = useTranslation();
  const [newest] = fn.versions;
  return (
    <li className="card function-card">
      <div className="stack">
        <h2>
          <Link to={functionPath(fn.shortname)}>{fn.name}</Link>
        </h2>
        <p className="muted">
          <code>{fn.shortname}</code>
        </p>
        <p className="clamped">{fn.description}</p>
      </div>
      <div className="row">
        <FunctionBadges fn={fn} />
        {fn.tags.map((tag) => (
          <Badge key={tag}>{tag}</Badge>
        ))}
      </div>
      <p className="muted">
        {t('pages.library.versionOn', { version: newest?.version, runtime: newest?.runtimeDetail })}
        {!fn.mine && ` · ${t('pages.library.by', { owner: fn.ownerName })}`}
      </p>
    </li>
  );
}

export function FunctionBadges({ fn }: { readonly fn: FunctionResource }): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      {fn.mine && <Badge tone="good">{t('pages.library.mine')}</Badge>}
      {fn.published && <Badge tone="brand">{t('pages.library.published')}</Badge>}
      {!fn.active && <Badge tone="warn">{t('pages.library.inactive')}</Badge>}
      {fn.ai && <Badge>{t('pages.library.forModels')}</Badge>}
    </>
  );
}
