import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Me } from '../../../../../contract/api-v1.ts';
import type { Profile as ProfileData, StoredTable } from '../../../../../contract/profile.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/page.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { Loaded } from '../../ui/states.tsx';
import { ME_KEY, PROFILE_KEY } from './data.ts';
import { Person } from './person.tsx';
import { TableCard } from './stored-table.tsx';
import './profile.css';

/** What is stored of whoever looks, as it stands in the stores. */
export function Profile(): ReactNode {
  const { t } = useTranslation();
  const me = useQuery({
    queryKey: ME_KEY,
    queryFn: ({ signal }) => request<Me>('/api/v1/me', { signal }),
  });
  const profile = useQuery({
    queryKey: PROFILE_KEY,
    queryFn: ({ signal }) => request<ProfileData>('/api/v1/profile', { signal }),
  });
  const save = ({ tables }: ProfileData): void =>
    saveFile('profile.json', new Blob([`${JSON.stringify({ tables }, null, 2)}\n`]));
  return (
    <Page
      title={t('pages.profile.title')}
      lead={t('pages.profile.lead')}
      actions={
        profile.data && (
          <Button onPress={() => profile.data && save(profile.data)}>{t('pages.profile.save')}</Button>
        )
      }
    >
      <Loaded query={me}>{(data) => <Person me={data} />}</Loaded>
      <header className="stack">
        <h2>{t('pages.profile.stored.title')}</h2>
        <p className="muted">{t('pages.profile.stored.text')}</p>
      </header>
      <Loaded query={profile}>{({ tables }) => <Stored tables={tables} />}</Loaded>
    </Page>
  );
}

/** Tables that hold something come first; the empty ones are named, so that the list is whole. */
function Stored({ tables }: { readonly tables: readonly StoredTable[] }): ReactNode {
  const { t } = useTranslation();
  const empty = tables.filter(({ count }) => count === 0);
  return (
    <>
      {tables
        .filter(({ count }) => count > 0)
        .map((table) => (
          <TableCard key={`${table.store}.${table.table}`} table={table} />
        ))}
      {empty.length > 0 && (
        <section className="stack" aria-label={t('pages.profile.empty')}>
          <h3>{t('pages.profile.empty')}</h3>
          <ul className="empty-tables">
            {empty.map(({ store, table }) => (
              <li key={`${store}.${table}`}>
                {t(`pages.profile.tables.${store}.${table}`)} <code>{`${store}.${table}`}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
