import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Route, Routes, useNavigate } from 'react-router';
import { Unlocked } from '../../shell/unlock.tsx';
import { Page } from '../../ui/page.tsx';
import { type Deletion, ReceiptDialog } from '../../ui/receipt-dialog.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { useSession } from '../../session.tsx';
import { DatabaseList } from './database-list.tsx';
import { DatabasePage } from './database-page.tsx';
import './vectors.css';

export function Vectors(): ReactNode {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [dropped, setDropped] = useState<Deletion>();
  if (!useSession().unlocked) {
    return (
      <Page title={t('pages.vectors.title')} lead={t('pages.vectors.lead')}>
        <Unlocked>{undefined}</Unlocked>
      </Page>
    );
  }
  const onDropped = (name: string, receipt: string): void => {
    setDropped({ done: t('pages.vectors.drop.done', { name }), receipt });
    void navigate('/vectors');
  };
  return (
    <>
      <Routes>
        <Route index element={<DatabaseList />} />
        <Route path=":name" element={<DatabasePage onDropped={onDropped} />} />
        <Route path="*" element={<EmptyState title={t('shell.noPage')} />} />
      </Routes>
      <ReceiptDialog deletion={dropped} onClose={() => setDropped(undefined)} />
    </>
  );
}
