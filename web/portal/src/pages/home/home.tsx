import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../ui/page.tsx';

export function Home(): ReactNode {
  const { t } = useTranslation();
  return (
    <Page title={t('pages.home.title')} lead={t('pages.home.lead')}>
      <></>
    </Page>
  );
}
