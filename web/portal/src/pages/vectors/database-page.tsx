import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import type { DescribedVectorDatabase, StartedUpload } from '../../../../../contract/vectors.ts';
import { request } from '../../api.ts';
import { Figure } from '../../ui/badge.tsx';
import { BackLink } from '../../ui/back-link.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { useUploads } from '../../uploads/use-uploads.ts';
import { Ask } from './ask.tsx';
import { useVectorDatabase, vectorApi, vectorKey, unlist } from './data.ts';
import { Documents } from './documents.tsx';
import { Search } from './search.tsx';

type View = 'documents' | 'search' | 'ask';

export interface DatabasePageProps {
  readonly onDropped: (name: string, receipt: string) => void;
}

export function DatabasePage({ onDropped }: DatabasePageProps): ReactNode {
  const { t } = useTranslation();
  const { name = '' } = useParams();
  const database = useVectorDatabase(name);
  const [isDropping, setDropping] = useState(false);
  return (
    <>
      <BackLink href="/vectors" to={t('pages.vectors.title')} />
      <Page
        title={name}
        lead={database.data && t(`pages.vectors.kinds.${database.data.kind}.text`)}
        actions={
          database.data && (
            <Button onPress={() => setDropping(true)}>
              <Icon name="trash" />
              {t('pages.vectors.drop.open')}
            </Button>
          )
        }
      >
        <Loaded query={database}>{(data) => <DatabaseViews key={name} database={data} />}</Loaded>
        <DropDatabase
          name={name}
          isOpen={isDropping}
          onClose={() => setDropping(false)}
          onDropped={onDropped}
        />
      </Page>
    </>
  );
}

/** Uploads go on while another view is shown, so they are kept here. */
function DatabaseViews({ database }: { readonly database: DescribedVectorDatabase }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [view, setView] = useState<View>('documents');
  const [keepsNames, setKeepsNames] = useState(false);
  const { name } = database;
  const uploads = useUploads({
    send: (file) => sendDocument(name, file, keepsNames),
    pathOf: (uploadId) => `/api/v1/uploads/${encodeURIComponent(uploadId)}`,
    onEnd: () => client.invalidateQueries({ queryKey: vectorKey(name) }),
  });
  return (
    <>
      <Sizes database={database} />
      <Tabs
        label={name}
        selected={view}
        onSelect={setView}
        tabs={[
          {
            id: 'documents',
            name: t('pages.vectors.views.documents'),
            content: (
              <Documents
                database={database}
                uploads={uploads}
                keepsNames={keepsNames}
                onKeepsNames={setKeepsNames}
              />
            ),
          },
          { id: 'search', name: t('pages.vectors.views.search'), content: <Search database={database} /> },
          { id: 'ask', name: t('pages.vectors.views.ask'), content: <Ask database={database} /> },
        ]}
      />
    </>
  );
}

async function sendDocument(name: string, file: File, keepsName: boolean): Promise<StartedUpload> {
  const body = new FormData();
  if (keepsName) body.append('metadata', JSON.stringify({ title: file.name }));
  body.append('file', file);
  return await request<StartedUpload>(vectorApi(name, '/documents'), { method: 'POST', body });
}

function Sizes({ database }: { readonly database: DescribedVectorDatabase }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { documents, records, bytes, dimensions, model, resolver } = database;
  return (
    <dl className="figures">
      <Figure label={t('pages.vectors.columns.documents')} value={format.number(documents)} />
      <Figure label={t('pages.vectors.columns.records')} value={format.number(records)} />
      <Figure label={t('pages.vectors.columns.bytes')} value={format.bytes(bytes)} />
      <Figure
        label={t('pages.vectors.model')}
        value={format.number(dimensions)}
        note={
          <>
            {model ?? t('pages.vectors.ownVectors')}
            {resolver !== null && ` · ${t('pages.vectors.create.resolver')}: ${resolver}`}
          </>
        }
      />
    </dl>
  );
}

function DropDatabase(
  props: DatabasePageProps & {
    readonly name: string;
    readonly isOpen: boolean;
    readonly onClose: () => void;
  },
): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { name, isOpen, onClose, onDropped } = props;
  return (
    <Confirm
      title={t('pages.vectors.drop.title', { name })}
      action={t('pages.vectors.drop.open')}
      typed={name}
      isOpen={isOpen}
      onClose={onClose}
      onConfirm={async () => {
        const { receipt } = await request<{ receipt: string }>(vectorApi(name), { method: 'DELETE' });
        unlist(client, name);
        onDropped(name, receipt);
      }}
    >
      <p>{t('pages.vectors.drop.text')}</p>
    </Confirm>
  );
}
