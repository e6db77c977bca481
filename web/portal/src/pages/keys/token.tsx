import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { Fault } from '../../ui/states.tsx';

interface IssuedToken {
  readonly token: string;
  readonly expiresAt: string;
}

/** A JFWT for whoever is to call, and not to hold the key. */
export function Token(): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const make = useMutation({
    mutationFn: () => request<IssuedToken>('/api/v1/session/token', { method: 'POST' }),
  });
  return (
    <Card title={t('pages.keys.token.title')}>
      <p className="muted">{t('pages.keys.token.text')}</p>
      {make.error && <Fault error={make.error} />}
      {make.data && (
        <>
          <p role="status">{t('pages.keys.token.until', { time: format.time(make.data.expiresAt) })}</p>
          <CodeBlock label="JFWT" text={make.data.token} />
          <p className="muted">
            {t('pages.keys.token.use')} <code>jfwt</code>
          </p>
        </>
      )}
      <div className="row">
        <Button isPending={make.isPending} onPress={() => make.mutate()}>
          {t('pages.keys.token.open')}
        </Button>
      </div>
    </Card>
  );
}
