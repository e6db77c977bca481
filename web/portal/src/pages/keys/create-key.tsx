import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Confirm, Dialog } from '../../ui/dialog.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { type CreatedApiKey, KEYS_API, KEYS_KEY } from './data.ts';

/** A key is in sight once, here, until it was put away. */
export function CreateKey(): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [created, setCreated] = useState<CreatedApiKey>();
  return (
    <Card title={t('pages.keys.create.title')}>
      <p className="muted">{t('pages.keys.create.text')}</p>
      <div className="row">
        <Button kind="primary" onPress={() => setAsking(true)}>
          <Icon name="plus" />
          {t('pages.keys.create.open')}
        </Button>
      </div>
      <Confirm
        title={t('pages.keys.create.title')}
        action={t('pages.keys.create.open')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          setCreated(await request<CreatedApiKey>(KEYS_API, { method: 'POST' }));
          await client.invalidateQueries({ queryKey: KEYS_KEY });
        }}
      >
        <p>{t('pages.keys.create.confirm')}</p>
      </Confirm>
      {created && (
        <Dialog
          title={t('pages.keys.create.once')}
          isOpen={!isAsking}
          mustAnswer
          onClose={() => setCreated(undefined)}
        >
          <p>{t('pages.keys.create.lost')}</p>
          <CodeBlock label={t('signIn.apiKey')} text={created.apiKey} />
          <div className="row">
            <Button kind="primary" onPress={() => setCreated(undefined)}>
              {t('firstKey.done')}
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  );
}
