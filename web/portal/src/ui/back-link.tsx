import type { ReactNode } from 'react';
import { Link } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

/** The way back to the list that this page is an entry of. */
export function BackLink({ href, to }: { readonly href: string; readonly to: string }): ReactNode {
  const { t } = useTranslation();
  return (
    <nav aria-label={t('shell.back')}>
      <Link href={href} className="back">
        ← {to}
      </Link>
    </nav>
  );
}
