import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES, type Language, chooseLanguage } from '../../i18n.ts';
import { Segments } from '../../ui/choice.tsx';
import { LinkButton } from '../../ui/button.tsx';
import { Logo } from '../../ui/icon.tsx';
import { Privacy } from './privacy.tsx';

const OPTIONS = Object.entries(LANGUAGES).map(([id, name]) => ({ id: id as Language, name }));

/** The statement for whoever is not signed in, and need not be. */
export function PublicPrivacy(): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <>
      <header className="public-head">
        <span className="brand">
          <Logo />
          JellyFaaS
        </span>
        <div className="row">
          <Segments
            label={t('pages.privacy.language')}
            options={OPTIONS}
            value={i18n.language === 'de' ? 'de' : 'en'}
            onChange={(language) => void chooseLanguage(language)}
          />
          <LinkButton href="/">{t('signIn.title')}</LinkButton>
        </div>
      </header>
      <main className="public">
        <Privacy />
      </main>
    </>
  );
}
