import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { Unlocked } from '../../shell/unlock.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { ConversationFilters } from './conversation-filters.tsx';
import { ConversationList } from './conversation-list.tsx';
import { type ConversationPage, type Filters, NO_FILTERS, useConversations } from './conversations-data.ts';
import { GrantDialog } from './grant-dialog.tsx';
import { Reading } from './reading.tsx';

/** What visitors asked and what they were answered: a list, and beside it the one that is open. */
export function Conversations({ site }: { readonly site: AimeeSite }): ReactNode {
  return (
    <Unlocked>
      <Inbox site={site} />
    </Unlocked>
  );
}

function Inbox({ site }: { readonly site: AimeeSite }): ReactNode {
  const [search, setSearch] = useSearchParams();
  const [filters, setFilters] = useState<Filters>(NO_FILTERS);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const query = useConversations(site.id, filters);
  const open = search.get('open');
  const close = (): void => {
    setSearch({ tab: 'conversations' });
    document.querySelector<HTMLElement>('.conversation[aria-current]')?.focus();
  };
  return (
    <>
      <ConversationFilters
        filters={filters}
        onChange={(next) => {
          setFilters(next);
          setChosen(new Set());
        }}
        isSearching={query.isFetching}
        onRefresh={() => void query.refetch()}
      />
      {chosen.size > 0 && <Chosen site={site} chosen={chosen} onClear={() => setChosen(new Set())} />}
      <Loaded query={query}>
        {({ pages }) => (
          <div className={open === null ? 'inbox' : 'inbox reading'}>
            <List
              site={site}
              pages={pages}
              isFiltered={filters !== NO_FILTERS}
              chosen={chosen}
              onChoose={setChosen}
              more={
                query.hasNextPage && (
                  <Button isPending={query.isFetchingNextPage} onPress={() => void query.fetchNextPage()}>
                    <MoreText pages={pages} />
                  </Button>
                )
              }
            />
            {open !== null && <Reading key={open} site={site} id={open} onClose={close} />}
          </div>
        )}
      </Loaded>
    </>
  );
}

/** Of a search, how far it has looked: it opens so many conversations at a time. */
function MoreText({ pages }: { readonly pages: readonly ConversationPage[] }): ReactNode {
  const { t } = useTranslation();
  const searched = pages.reduce((sum, page) => sum + (page.searched ?? 0), 0);
  return <>{searched === 0 ? t('pages.aimee.list.more') : t('pages.aimee.list.searchOn', { searched })}</>;
}

function List(props: {
  readonly site: AimeeSite;
  readonly pages: readonly ConversationPage[];
  readonly isFiltered: boolean;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  readonly more: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const conversations = props.pages.flatMap((page) => page.conversations);
  if (conversations.length === 0 && !props.isFiltered) return <NothingYet />;
  return (
    <div className="stack list">
      {conversations.length === 0 ? (
        <EmptyState icon="search" title={t('pages.aimee.list.nothingFound')} />
      ) : (
        <ConversationList conversations={conversations} chosen={props.chosen} onChoose={props.onChoose} />
      )}
      {props.more}
    </div>
  );
}

function NothingYet(): ReactNode {
  const { t } = useTranslation();
  return (
    <EmptyState icon="aimee" title={t('pages.aimee.list.emptyTitle')}>
      <p className="narrow">{t('pages.aimee.list.emptyText')}</p>
      <div className="row">
        <LinkButton href="?tab=knowledge">{t('pages.aimee.list.addKnowledge')}</LinkButton>
        <LinkButton href="?tab=look">{t('pages.aimee.list.embed')}</LinkButton>
      </div>
    </EmptyState>
  );
}

/** What can be done with several conversations at once. */
function Chosen(props: {
  readonly site: AimeeSite;
  readonly chosen: ReadonlySet<string>;
  readonly onClear: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const [isGranting, setGranting] = useState(false);
  return (
    <div className="notice">
      <div className="row spread">
        <p role="status">{t('pages.aimee.list.chosen', { count: props.chosen.size })}</p>
        <div className="row">
          <Button onPress={() => setGranting(true)}>{t('pages.aimee.grant.open')}</Button>
          <Button kind="quiet" onPress={props.onClear}>
            {t('pages.aimee.list.clear')}
          </Button>
        </div>
      </div>
      <GrantDialog
        siteId={props.site.id}
        conversations={[...props.chosen]}
        isOpen={isGranting}
        onClose={() => setGranting(false)}
      />
    </div>
  );
}
