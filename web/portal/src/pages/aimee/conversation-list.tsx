import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import type { AimeeConversationSummary } from '../../../../../contract/aimee-conversations.ts';
import { Badge } from '../../ui/badge.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';

/** One grant names no more. */
const CHOSEN_MAX = 20;

export function ConversationList(props: {
  readonly conversations: readonly AimeeConversationSummary[];
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { conversations, chosen, onChoose } = props;
  const choose = (id: string, isChosen: boolean): void => {
    const next = new Set(chosen);
    if (isChosen) next.add(id);
    else next.delete(id);
    onChoose(next);
  };
  return (
    <ul className="conversations" aria-label={t('pages.aimee.tabs.conversations')}>
      {conversations.map((conversation) => (
        <li key={conversation.id}>
          <Checkbox
            aria-label={t('pages.aimee.list.choose', { reference: conversation.reference })}
            isSelected={chosen.has(conversation.id)}
            isDisabled={chosen.size >= CHOSEN_MAX && !chosen.has(conversation.id)}
            onChange={(isChosen) => choose(conversation.id, isChosen)}
          >
            {null}
          </Checkbox>
          <Row conversation={conversation} />
        </li>
      ))}
    </ul>
  );
}

function Row({ conversation }: { readonly conversation: AimeeConversationSummary }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const [search] = useSearchParams();
  const { id, reference, firstQuestion, startedAt, messages } = conversation;
  const isOpen = search.get('open') === id;
  return (
    <Link
      className="conversation"
      to={`?tab=conversations&open=${id}`}
      aria-current={isOpen ? 'true' : undefined}
    >
      <span className="first-question" dir="auto">
        {firstQuestion}
      </span>
      <span className="muted small">
        {format.time(startedAt)} · {t('pages.aimee.list.messages', { count: messages })} ·{' '}
        <code>{reference}</code>
      </span>
      <Marks of={conversation} />
    </Link>
  );
}

type Marked = Pick<
  AimeeConversationSummary,
  'unanswered' | 'up' | 'down' | 'handedOver' | 'restricted' | 'objected'
>;

/** What stands out in a conversation. */
export function Marks({ of }: { readonly of: Marked }): ReactNode {
  const { t } = useTranslation();
  const { unanswered, up, down, handedOver, restricted, objected } = of;
  if (unanswered + up + down === 0 && !handedOver && !restricted && !objected) return null;
  return (
    <span className="row marks">
      {unanswered > 0 && <Badge tone="warn">{t('pages.aimee.list.unanswered', { count: unanswered })}</Badge>}
      {up > 0 && (
        <Badge tone="good">
          <Icon name="up" size={14} />
          {t('pages.aimee.list.up', { count: up })}
        </Badge>
      )}
      {down > 0 && (
        <Badge tone="bad">
          <Icon name="down" size={14} />
          {t('pages.aimee.list.down', { count: down })}
        </Badge>
      )}
      {handedOver && <Badge tone="brand">{t('pages.aimee.list.handedOver')}</Badge>}
      {restricted && <Badge tone="warn">{t('pages.aimee.list.restricted')}</Badge>}
      {objected && <Badge tone="warn">{t('pages.aimee.list.objected')}</Badge>}
    </span>
  );
}
