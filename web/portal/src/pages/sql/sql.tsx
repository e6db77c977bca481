import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Route, Routes, useNavigate } from 'react-router';
import { useSession } from '../../session.tsx';
import { Unlocked } from '../../shell/unlock.tsx';
import { Page } from '../../ui/page.tsx';
import { type Deletion, ReceiptDialog } from '../../ui/receipt-dialog.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { DatabaseList } from './database-list.tsx';
import { DatabasePage } from './database-page.tsx';
import { OutsidePage } from './outside-page.tsx';
import './sql.css';

export function Sql(): ReactNode {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [dropped, setDropped] = useState<Deletion>();
  if (!useSession().unlocked) {
    return (
      <Page title={t('pages.sql.title')} lead={t('pages.sql.lead')}>
        <Unlocked>{undefined}</Unlocked>
      </Page>
    );
  }
  const onDropped = (name: string, receipt: string): void => {
    setDropped({ done: t('pages.sql.drop.done', { name }), receipt });
    void navigate('/sql');
  };
  return (
    <>
      <Routes>
        <Route index element={<DatabaseList />} />
        <Route path="outside" element={<OutsidePage />} />
        <Route path="databases/:name" element={<DatabasePage onDropped={onDropped} />} />
        <Route path="*" element={<EmptyState title={t('shell.noPage')} />} />
      </Routes>
      <ReceiptDialog deletion={dropped} onClose={() => setDropped(undefined)} />
    </>
  );
}
