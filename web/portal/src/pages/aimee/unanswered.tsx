import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { AimeeUnanswered } from '../../../../../contract/aimee-conversations.ts';
import { request } from '../../api.ts';
import { LinkButton } from '../../ui/button.tsx';
import { Loaded } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { siteApi, siteKey } from './data.ts';

type Question = AimeeUnanswered['questions'][number];

/** Questions that the knowledge did not answer, the most frequent first. */
export function Unanswered({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: siteKey(site.id, 'unanswered'),
    queryFn: ({ signal }) => request<AimeeUnanswered>(siteApi(site.id, '/unanswered'), { signal }),
  });
  const columns: Column<Question>[] = [
    {
      id: 'question',
      name: t('pages.aimee.unanswered.question'),
      cell: ({ question, conversation }) => (
        <Link to={`?tab=conversations&open=${conversation}`} dir="auto" className="words">
          {question}
        </Link>
      ),
    },
    { id: 'times', name: t('pages.aimee.unanswered.times'), cell: ({ times }) => times, isNumber: true },
  ];
  return (
    <Loaded query={query}>
      {({ questions, searched }) =>
        questions.length === 0 ? (
          <p className="muted">{t('pages.aimee.unanswered.none')}</p>
        ) : (
          <>
            <p className="muted narrow">{t('pages.aimee.unanswered.text', { count: searched })}</p>
            <Table
              label={t('pages.aimee.unanswered.title')}
              columns={columns}
              rows={questions}
              rowKey={({ conversation, question }) => `${conversation} ${question}`}
            />
            <div className="row">
              <LinkButton href="?tab=knowledge">{t('pages.aimee.list.addKnowledge')}</LinkButton>
            </div>
          </>
        )
      }
    </Loaded>
  );
}
