import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

/** Above the pages below the library. */
export function BackToLibrary(): ReactNode {
  const { t } = useTranslation();
  return (
    <nav aria-label={t('pages.library.path')}>
      <Link to="/library" className="back">
        ← {t('pages.library.title')}
      </Link>
    </nav>
  );
}
