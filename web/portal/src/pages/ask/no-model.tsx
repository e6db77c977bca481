import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Card } from '../../ui/page.tsx';
import { EmptyState } from '../../ui/states.tsx';

/** The two ways to a model, which are the operator's to go. */
export function NoModel(): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <EmptyState title={t('pages.ask.noModel.title')} icon="ask">
        <p>{t('pages.ask.noModel.why')}</p>
      </EmptyState>
      <div className="grid">
        <Card title={t('pages.ask.noModel.here')}>
          <p>{t('pages.ask.noModel.hereWhat')}</p>
          <CodeBlock
            label={t('pages.ask.noModel.settings')}
            text={'JELLYFAAS_MODEL_FILE=/models/model.gguf'}
          />
        </Card>
        <Card title={t('pages.ask.noModel.endpoint')}>
          <p>{t('pages.ask.noModel.endpointWhat')}</p>
          <CodeBlock
            label={t('pages.ask.noModel.settings')}
            text={
              'JELLYFAAS_MODEL_URL=http://127.0.0.1:11434/v1\nJELLYFAAS_MODEL_NAME=…\nJELLYFAAS_MODEL_KEY=…'
            }
          />
        </Card>
      </div>
    </>
  );
}
