import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Route, Routes } from 'react-router';
import { EmptyState } from '../../ui/states.tsx';
import './aimee.css';
import { Overview } from './overview.tsx';
import { Receipts } from './receipts.tsx';
import { SitePage } from './site.tsx';
import { StaffPage } from './staff.tsx';

export function Aimee(): ReactNode {
  const { t } = useTranslation();
  return (
    <Receipts>
      <Routes>
        <Route index element={<Overview />} />
        <Route path="sites/:siteId" element={<SitePage />} />
        <Route path="support" element={<StaffPage />} />
        <Route path="*" element={<EmptyState title={t('shell.noPage')} />} />
      </Routes>
    </Receipts>
  );
}
