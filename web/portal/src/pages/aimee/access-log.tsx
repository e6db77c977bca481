import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeAccessLog } from '../../../../../contract/aimee-conversations.ts';
import { Badge } from '../../ui/badge.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useAccessLog } from './grants-data.ts';

type Entry = AimeeAccessLog['entries'][number];

/** Every grant and every read, each with the hash that ties it to all before it. */
export function AccessLog({ isWatched }: { readonly isWatched: boolean }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const log = useAccessLog(isWatched);
  const columns: Column<Entry>[] = [
    { id: 'number', name: t('pages.aimee.log.number'), cell: ({ number }) => number, isNumber: true },
    { id: 'at', name: t('pages.aimee.log.at'), cell: ({ at }) => format.time(at) },
    { id: 'event', name: t('pages.aimee.log.event'), cell: ({ event }) => t(`pages.aimee.log.is.${event}`) },
    { id: 'grant', name: t('pages.aimee.log.grant'), cell: ({ grant }) => <code>{grant}</code> },
    {
      id: 'conversation',
      name: t('pages.aimee.log.conversation'),
      cell: ({ conversation }) => conversation !== null && <code>{conversation}</code>,
    },
    { id: 'hash', name: t('pages.aimee.log.hash'), cell: ({ hash }) => <code>{hash.slice(0, 12)}…</code> },
  ];
  return (
    <Card
      title={t('pages.aimee.log.title')}
      actions={
        log.data && (
          <Badge tone={log.data.intact ? 'good' : 'bad'}>
            {t(log.data.intact ? 'pages.aimee.log.intact' : 'pages.aimee.log.broken')}
          </Badge>
        )
      }
    >
      <p className="muted narrow">{t('pages.aimee.log.text')}</p>
      <Loaded query={log}>
        {({ entries, head }) =>
          entries.length === 0 ? (
            <p>{t('pages.aimee.log.empty')}</p>
          ) : (
            <>
              <Table
                label={t('pages.aimee.log.title')}
                columns={columns}
                rows={entries}
                rowKey={({ number }) => String(number)}
              />
              <CodeBlock label={t('pages.aimee.log.head')} text={head} />
            </>
          )
        }
      </Loaded>
    </Card>
  );
}
