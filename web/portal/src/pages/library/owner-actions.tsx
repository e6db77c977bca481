import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import type { FunctionResource } from '../../../../../contract/api-v1.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Fault } from '../../ui/states.tsx';
import { useLibraryChanged } from './functions.ts';

/** Publish, withdraw, delete: what a function's owner may do with it as a whole. */
export function OwnerActions({ fn }: { readonly fn: FunctionResource }): ReactNode {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const changed = useLibraryChanged();
  const [asking, setAsking] = useState<'publish' | 'delete'>();
  const name = encodeURIComponent(fn.shortname);
  const publish = async (action: 'publish' | 'withdraw'): Promise<void> => {
    await request(`/core-service/v1/library/${action}/${name}`, { method: 'PUT' });
    await changed();
  };
  const withdraw = useMutation({ mutationFn: () => publish('withdraw') });
  return (
    <>
      {withdraw.error && <Fault error={withdraw.error} />}
      {fn.published ? (
        <Button isPending={withdraw.isPending} onPress={() => withdraw.mutate()}>
          {t('pages.library.withdraw.action')}
        </Button>
      ) : (
        <Button onPress={() => setAsking('publish')}>{t('pages.library.publish.action')}</Button>
      )}
      <Button onPress={() => setAsking('delete')}>
        <Icon name="trash" />
        {t('pages.library.delete.action')}
      </Button>
      <Confirm
        kind="primary"
        title={t('pages.library.publish.title', { name: fn.name })}
        action={t('pages.library.publish.action')}
        isOpen={asking === 'publish'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => publish('publish')}
      >
        <p>{t('pages.library.publish.what')}</p>
      </Confirm>
      <Confirm
        title={t('pages.library.delete.title', { name: fn.name })}
        action={t('pages.library.delete.action')}
        typed={fn.shortname}
        isOpen={asking === 'delete'}
        onClose={() => setAsking(undefined)}
        onConfirm={async () => {
          await request(`/api/v1/functions/${name}`, { method: 'DELETE' });
          await navigate('/library');
          await changed(fn.shortname);
        }}
      >
        <p>{t('pages.library.delete.what')}</p>
      </Confirm>
    </>
  );
}
