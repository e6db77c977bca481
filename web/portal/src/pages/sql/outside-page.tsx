import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { BackLink } from '../../ui/back-link.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Page } from '../../ui/page.tsx';
import { AskSql } from './ask-sql.tsx';

/** Questions to a database that is not ours. What opens it goes with each question and is kept nowhere. */
export function OutsidePage(): ReactNode {
  const { t } = useTranslation();
  const [connection, setConnection] = useState('');
  const [names, setNames] = useState('');
  const tables = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return (
    <>
      <BackLink href="/sql" to={t('pages.sql.title')} />
      <Page title={t('pages.sql.outside.title')} lead={t('pages.sql.outside.lead')}>
        <AskSql target={{ connection, tables }} isReady={connection !== '' && tables.length > 0}>
          <p className="notice">{t('pages.sql.outside.kept')}</p>
          <TextField
            label={t('pages.sql.outside.connection')}
            hint={t('pages.sql.outside.connectionHint')}
            type="password"
            value={connection}
            onChange={setConnection}
            isRequired
          />
          <TextField
            label={t('pages.sql.outside.tables')}
            hint={t('pages.sql.outside.tablesHint')}
            value={names}
            onChange={setNames}
            isRequired
          />
        </AskSql>
      </Page>
    </>
  );
}
