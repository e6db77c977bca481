import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { BothLanguages, PrivacyStatement } from '../../../../../contract/privacy.ts';
import { request } from '../../api.ts';
import { Card, Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Facts } from './facts.tsx';
import { Recipients } from './recipients.tsx';
import './privacy.css';

type UseCase = PrivacyStatement['useCases'][number];

/** What this installation promises; open to everybody. */
export function Privacy(): ReactNode {
  const { t } = useTranslation();
  const statement = useQuery({
    queryKey: ['privacy'],
    queryFn: ({ signal }) => request<PrivacyStatement>('/api/v1/privacy', { signal }),
  });
  return (
    <Page title={t('pages.privacy.title')} lead={t('pages.privacy.lead')}>
      <Loaded query={statement}>
        {(data) => (
          <>
            <Facts facts={data.facts} />
            <Contents useCases={data.useCases} />
            {data.useCases.map((useCase) => (
              <Section key={useCase.id} useCase={useCase} />
            ))}
            <Recipients recipients={data.recipients} />
            <p className="muted">
              {t('pages.privacy.made', { version: data.version })}{' '}
              <a href="/.well-known/privacy-contract">{t('pages.privacy.contract')}</a>
            </p>
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** A text of the server in the language that the page is read in. */
function useText(): (texts: BothLanguages) => string {
  const { language } = useTranslation().i18n;
  return (texts) => (language === 'de' ? texts.de : texts.en);
}

function Contents({ useCases }: { readonly useCases: readonly UseCase[] }): ReactNode {
  const { t } = useTranslation();
  const text = useText();
  return (
    <nav aria-label={t('pages.privacy.contents')}>
      <ul className="contents">
        {useCases.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`}>{text(title)}</a>
          </li>
        ))}
        <li>
          <a href="#recipients">{t('pages.privacy.recipients.title')}</a>
        </li>
      </ul>
    </nav>
  );
}

function Section({ useCase }: { readonly useCase: UseCase }): ReactNode {
  const { t } = useTranslation();
  const text = useText();
  return (
    <div id={useCase.id} className="anchor">
      <Card title={text(useCase.title)}>
        {useCase.clauses.map(({ id, text: promise, limit, open }) => (
          <div key={id} className="clause">
            <span className="clause-id">{id}</span>
            <div className="stack">
              <p>{text(promise)}</p>
              {open !== null && (
                <p className="notice warn">
                  <strong>{text(open)}</strong>
                </p>
              )}
              {limit !== null && (
                <p className="notice warn">
                  <strong>{t('pages.privacy.limit')}</strong> {text(limit)}
                </p>
              )}
            </div>
          </div>
        ))}
      </Card>
    </div>
  );
}
