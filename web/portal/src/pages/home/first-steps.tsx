import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { LinkButton } from '../../ui/button.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Card } from '../../ui/page.tsx';

/** What to do with a new installation: three steps, and the third shows an answer. */
export function FirstSteps(): ReactNode {
  const { t } = useTranslation();
  const steps = [
    { id: 'login', command: `npx jellyfaas login --url ${location.origin}` },
    {
      id: 'deploy',
      command: 'npx jellyfaas create -n my-greeter -l node -d .\nnpx jellyfaas zip -s my-greeter -d -w',
    },
    { id: 'call', command: 'npx jellyfaas invoke my-greeter --query name=Ada' },
  ] as const;
  return (
    <Card title={t('pages.home.first.title')}>
      <p className="muted">{t('pages.home.first.lead')}</p>
      <ol className="steps">
        {steps.map(({ id, command }) => (
          <li key={id}>
            <div className="stack">
              <h3>{t(`pages.home.first.${id}`)}</h3>
              <p className="muted">{t(`pages.home.first.${id}Why`)}</p>
              <CodeBlock
                text={command}
                label={t(`pages.home.first.${id}`)}
                caption={t('pages.home.quickStart.cli')}
              />
              {id === 'deploy' && (
                <div className="row">
                  <LinkButton href="/library/deploy">{t('pages.home.first.drop')}</LinkButton>
                </div>
              )}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
