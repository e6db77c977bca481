import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { AimeeConversation } from '../../../../../contract/aimee-conversations.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Loaded } from '../../ui/states.tsx';
import { useConversation } from './conversations-data.ts';
import { Marks } from './conversation-list.tsx';
import { forgetConversations } from './data.ts';
import { GrantDialog } from './grant-dialog.tsx';
import { purge } from './purge-data.ts';
import { useShowReceipt } from './receipts.tsx';
import { Transcript } from './transcript.tsx';

interface ReadingProps {
  readonly site: AimeeSite;
  readonly id: string;
  readonly onClose: () => void;
}

/** One conversation. The focus comes here when it opens and goes back to the list when it closes. */
export function Reading({ site, id, onClose }: ReadingProps): ReactNode {
  const { t } = useTranslation();
  const section = useRef<HTMLElement>(null);
  const query = useConversation(site.id, id);
  useEffect(() => section.current?.focus(), []);
  return (
    <section
      className="card reading-pane"
      ref={section}
      tabIndex={-1}
      aria-label={t('pages.aimee.reading.title')}
    >
      <Loaded query={query}>
        {(conversation) => (
          <>
            <Head conversation={conversation} site={site} id={id} onClose={onClose} />
            <Transcript entries={conversation.entries} notes={conversation.notes} />
          </>
        )}
      </Loaded>
      {query.error && <Button onPress={onClose}>{t('pages.aimee.reading.close')}</Button>}
    </section>
  );
}

function Head(props: ReadingProps & { readonly conversation: AimeeConversation }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { site, id, conversation, onClose } = props;
  const [asked, setAsked] = useState<'purge' | 'grant'>();
  const stop = (): void => setAsked(undefined);
  return (
    <header className="stack">
      <div className="row spread">
        <h2>{t('pages.aimee.reading.title')}</h2>
        <div className="row">
          <Button onPress={() => setAsked('grant')}>{t('pages.aimee.grant.open')}</Button>
          <Button onPress={() => setAsked('purge')}>
            <Icon name="trash" />
            {t('pages.aimee.reading.purge')}
          </Button>
          <Button kind="quiet" onPress={onClose}>
            {t('pages.aimee.reading.close')}
          </Button>
        </div>
      </div>
      <p className="muted">
        {format.time(conversation.startedAt)} · {t('pages.aimee.reading.reference')}{' '}
        <code>{conversation.reference}</code>
      </p>
      <Marks of={conversation} />
      <GrantDialog siteId={site.id} conversations={[id]} isOpen={asked === 'grant'} onClose={stop} />
      <PurgeOne site={site} id={id} isOpen={asked === 'purge'} onClose={stop} onGone={onClose} />
    </header>
  );
}

function PurgeOne(
  props: ReadingProps & { readonly isOpen: boolean; readonly onGone: () => void },
): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showReceipt = useShowReceipt();
  return (
    <Confirm
      title={t('pages.aimee.reading.purgeTitle')}
      action={t('pages.aimee.reading.purge')}
      isOpen={props.isOpen}
      onClose={props.onClose}
      onConfirm={async () => {
        const { conversations, receipt } = await purge(props.site.id, {
          scope: 'one',
          conversation: props.id,
        });
        showReceipt({ done: t('pages.aimee.purge.done', { count: conversations }), receipt });
        props.onGone();
        void forgetConversations(client, props.site.id);
      }}
    >
      <p>{t('pages.aimee.reading.purgeText')}</p>
    </Confirm>
  );
}
