import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { CodeBlock } from '../ui/code-block.tsx';
import { Dialog } from '../ui/dialog.tsx';

/** The first API key of a new account: the server tells it once, so it stays in sight until it was put away. */
export function FirstKey(): ReactNode {
  const { t } = useTranslation();
  const [firstApiKey, setFirstApiKey] = useState(useSession().firstApiKey);
  const close = (): void => setFirstApiKey(undefined);
  if (firstApiKey === undefined) return undefined;
  return (
    <Dialog title={t('firstKey.title')} isOpen mustAnswer onClose={close}>
      <p>{t('firstKey.why')}</p>
      <CodeBlock text={firstApiKey} label={t('signIn.apiKey')} />
      <div className="row">
        <Button kind="primary" onPress={close}>
          {t('firstKey.done')}
        </Button>
      </div>
    </Dialog>
  );
}
