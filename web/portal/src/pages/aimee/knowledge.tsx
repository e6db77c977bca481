import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeKnowledge, AimeeSite } from '../../../../../contract/aimee.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { FileDrop } from '../../ui/file-drop.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { DOCUMENT_ENDINGS, UploadList } from '../../uploads/upload-list.tsx';
import type { Uploads } from '../../uploads/use-uploads.ts';
import { Crawl } from './crawl.tsx';
import { queryOf, siteApi, siteKey } from './data.ts';

type AimeeDocument = AimeeKnowledge['documents'][number];

/** What answers rest on: documents that were handed in, and pages of the site itself. */
export function Knowledge({
  site,
  uploads,
}: {
  readonly site: AimeeSite;
  readonly uploads: Uploads;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <div className="grid wide">
        <Card title={t('pages.aimee.knowledge.upload')}>
          <FileDrop
            label={t('pages.aimee.knowledge.drop')}
            hint={t('pages.aimee.knowledge.formats')}
            action={t('pages.aimee.knowledge.choose')}
            accept={DOCUMENT_ENDINGS}
            allowsMultiple
            onFiles={uploads.add}
          />
          <UploadList uploads={uploads} />
        </Card>
        <Crawl site={site} />
      </div>
      <Documents site={site} />
    </>
  );
}

function Documents({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const query = useInfiniteQuery({
    queryKey: siteKey(site.id, 'knowledge'),
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      request<AimeeKnowledge>(siteApi(site.id, `/knowledge${queryOf({ after: pageParam })}`), { signal }),
    getNextPageParam: ({ next }) => next,
  });
  return (
    <Card title={t('pages.aimee.knowledge.documents')}>
      <Loaded query={query}>
        {({ pages }) => {
          const documents = pages.flatMap((page) => page.documents);
          return documents.length === 0 ? (
            <EmptyState icon="library" title={t('pages.aimee.knowledge.empty')}>
              <p className="narrow">{t('pages.aimee.knowledge.emptyText')}</p>
            </EmptyState>
          ) : (
            <DocumentTable site={site} documents={documents} />
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <Button isPending={query.isFetchingNextPage} onPress={() => void query.fetchNextPage()}>
          {t('pages.aimee.list.more')}
        </Button>
      )}
    </Card>
  );
}

function DocumentTable(props: {
  readonly site: AimeeSite;
  readonly documents: readonly AimeeDocument[];
}): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [removed, setRemoved] = useState<AimeeDocument>();
  const remove = async (documentId: string): Promise<void> => {
    const path = siteApi(props.site.id, `/knowledge/${encodeURIComponent(documentId)}`);
    await request(path, { method: 'DELETE' });
    await client.invalidateQueries({ queryKey: siteKey(props.site.id, 'knowledge') });
  };
  const columns: Column<AimeeDocument>[] = [
    {
      id: 'title',
      name: t('pages.aimee.knowledge.title'),
      cell: ({ title, url }) => (
        <div className="stack tight words">
          <span dir="auto">{title}</span>
          {url !== null && <span className="muted small">{url}</span>}
        </div>
      ),
    },
    {
      id: 'passages',
      name: t('pages.aimee.knowledge.passages'),
      cell: ({ passages }) => passages,
      isNumber: true,
    },
    {
      id: 'remove',
      name: t('pages.aimee.knowledge.remove'),
      isNumber: true,
      cell: (document) => (
        <Button
          kind="quiet"
          onPress={() => setRemoved(document)}
          aria-label={`${t('pages.aimee.knowledge.remove')}: ${document.title}`}
        >
          <Icon name="trash" />
        </Button>
      ),
    },
  ];
  return (
    <>
      <Table
        label={t('pages.aimee.knowledge.documents')}
        columns={columns}
        rows={props.documents}
        rowKey={({ documentId }) => documentId}
      />
      <Confirm
        title={t('pages.aimee.knowledge.removeTitle')}
        action={t('pages.aimee.knowledge.remove')}
        isOpen={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        onConfirm={async () => {
          if (removed !== undefined) await remove(removed.documentId);
        }}
      >
        <p>{t('pages.aimee.knowledge.removeText', { title: removed?.title ?? '' })}</p>
      </Confirm>
    </>
  );
}
