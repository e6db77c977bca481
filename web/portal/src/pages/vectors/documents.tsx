import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DescribedVectorDatabase, Documents as DocumentList } from '../../../../../contract/vectors.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { FileDrop } from '../../ui/file-drop.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { DOCUMENT_ENDINGS, UploadList } from '../../uploads/upload-list.tsx';
import type { Uploads } from '../../uploads/use-uploads.ts';
import { vectorApi, vectorKey } from './data.ts';
import { Metadata } from './passages.tsx';

type Document = DocumentList['documents'][number];

const PAGE_SIZE = 100;

export function Documents(props: {
  readonly database: DescribedVectorDatabase;
  readonly uploads: Uploads;
  readonly keepsNames: boolean;
  readonly onKeepsNames: (keepsNames: boolean) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { database, uploads, keepsNames, onKeepsNames } = props;
  return (
    <>
      {database.model === null ? (
        <p className="notice">{t('pages.vectors.documents.none')}</p>
      ) : (
        <Card title={t('pages.vectors.documents.add')}>
          <FileDrop
            label={t('pages.vectors.documents.drop')}
            hint={t('pages.vectors.documents.formats')}
            action={t('pages.vectors.documents.choose')}
            accept={DOCUMENT_ENDINGS}
            allowsMultiple
            onFiles={uploads.add}
          />
          <Checkbox isSelected={keepsNames} onChange={onKeepsNames}>
            {t('pages.vectors.documents.keepNames')}
          </Checkbox>
          <UploadList uploads={uploads} />
        </Card>
      )}
      <StoredDocuments name={database.name} />
    </>
  );
}

function StoredDocuments({ name }: { readonly name: string }): ReactNode {
  const { t } = useTranslation();
  const [doomed, setDoomed] = useState<Document>();
  const documents = useInfiniteQuery({
    queryKey: vectorKey(name, 'documents'),
    queryFn: ({ pageParam, signal }) =>
      request<DocumentList>(vectorApi(name, `/documents?${pageParam}limit=${PAGE_SIZE}`), { signal }),
    initialPageParam: '',
    getNextPageParam: ({ documents: page }) => {
      const last = page.length < PAGE_SIZE ? undefined : page.at(-1);
      return last && `after=${encodeURIComponent(last.documentId)}&`;
    },
  });
  return (
    <Card title={t('pages.vectors.documents.title')}>
      <Loaded query={documents}>
        {({ pages }) => (
          <DocumentTable documents={pages.flatMap((page) => page.documents)} onDelete={setDoomed} />
        )}
      </Loaded>
      {documents.hasNextPage && (
        <div className="row">
          <Button isPending={documents.isFetchingNextPage} onPress={() => void documents.fetchNextPage()}>
            {t('pages.vectors.documents.more')}
          </Button>
        </div>
      )}
      <DeleteDocument name={name} document={doomed} onClose={() => setDoomed(undefined)} />
    </Card>
  );
}

function DocumentTable(props: {
  readonly documents: readonly Document[];
  readonly onDelete: (document: Document) => void;
}): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  if (props.documents.length === 0) {
    return (
      <EmptyState title={t('pages.vectors.documents.empty')} icon="upload">
        <p>{t('pages.vectors.documents.emptyText')}</p>
      </EmptyState>
    );
  }
  return (
    <Table
      label={t('pages.vectors.documents.title')}
      rows={props.documents}
      rowKey={({ documentId }) => documentId}
      columns={[
        {
          id: 'id',
          name: t('pages.vectors.documents.id'),
          cell: (document) => (
            <>
              <strong>{titleOf(document)}</strong>
              <Metadata metadata={document.metadata} />
            </>
          ),
        },
        {
          id: 'passages',
          name: t('pages.vectors.columns.records'),
          isNumber: true,
          cell: ({ passages }) => format.number(passages),
        },
        {
          id: 'delete',
          name: t('pages.vectors.documents.actions'),
          cell: (document) => (
            <Button
              kind="quiet"
              aria-label={`${t('pages.vectors.documents.delete')}: ${titleOf(document)}`}
              onPress={() => props.onDelete(document)}
            >
              <Icon name="trash" />
              {t('pages.vectors.documents.delete')}
            </Button>
          ),
        },
      ]}
    />
  );
}

/** Its name where the uploader had it kept, else the id, which is a keyed hash of it. */
function titleOf({ documentId, metadata }: Document): string {
  const { title } = metadata;
  return typeof title === 'string' ? title : documentId;
}

function DeleteDocument(props: {
  readonly name: string;
  readonly document: Document | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { name, document, onClose } = props;
  if (document === undefined) return undefined;
  return (
    <Confirm
      title={t('pages.vectors.documents.deleteTitle')}
      action={t('pages.vectors.documents.delete')}
      isOpen
      onClose={onClose}
      onConfirm={async () => {
        const path = vectorApi(name, `/documents/${encodeURIComponent(document.documentId)}`);
        await request(path, { method: 'DELETE' });
        await client.invalidateQueries({ queryKey: vectorKey(name) });
      }}
    >
      <p>{t('pages.vectors.documents.deleteText', { title: titleOf(document), count: document.passages })}</p>
    </Confirm>
  );
}
