import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { DescribedVectorDatabase, VectorHits } from '../../../../../contract/vectors.ts';
import { request } from '../../api.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { EmptyState, Fault } from '../../ui/states.tsx';
import { vectorApi } from './data.ts';
import { type FilterRow, filterOf } from './filter.ts';
import { FilterRows } from './filter-rows.tsx';
import { Changed, Metadata, Place } from './passages.tsx';

const TOP_K = 8;
const TOP_K_MAX = 100;

/** What is searched for stays on this page; the server keeps nothing of it. */
export function Search({ database }: { readonly database: DescribedVectorDatabase }): ReactNode {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [topK, setTopK] = useState(String(TOP_K));
  const [rows, setRows] = useState<readonly FilterRow[]>([]);
  const [isReranked, setReranked] = useState(false);
  const search = useMutation({
    mutationFn: () => {
      const filter = filterOf(rows);
      const body = { text, topK: Number(topK), rerank: isReranked, ...(filter && { filter }) };
      return request<VectorHits>(vectorApi(database.name, '/query'), { method: 'POST', body });
    },
  });
  if (database.model === null) return <p className="notice">{t('pages.vectors.search.none')}</p>;
  return (
    <>
      <Card>
        <Form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            search.mutate();
          }}
        >
          <TextField label={t('pages.vectors.search.text')} value={text} onChange={setText} isRequired />
          <div className="row ends">
            <TextField
              label={t('pages.vectors.search.topK')}
              type="number"
              value={topK}
              onChange={setTopK}
              isRequired
            />
            <Checkbox isSelected={isReranked} onChange={setReranked}>
              {t('pages.vectors.search.rerank')}
            </Checkbox>
          </div>
          <FilterRows rows={rows} onChange={setRows} />
          {search.error && <Fault error={search.error} />}
          <div className="row">
            <Button
              type="submit"
              kind="primary"
              isPending={search.isPending}
              isDisabled={Number(topK) < 1 || Number(topK) > TOP_K_MAX}
            >
              <Icon name="search" />
              {t('pages.vectors.search.submit')}
            </Button>
          </div>
        </Form>
      </Card>
      {search.data && <Hits {...search.data} />}
    </>
  );
}

function Hits({ hits, changed }: VectorHits): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="stack" aria-label={t('pages.vectors.search.results')}>
      <p role="status" className="muted">
        {t('pages.vectors.search.found', { count: hits.length })}
      </p>
      <Changed changed={changed} />
      {hits.length === 0 ? (
        <EmptyState title={t('pages.vectors.search.nothing')} icon="search" />
      ) : (
        <ol className="hits">
          {hits.map((hit) => (
            <li key={hit.id} className="card">
              <HitCard hit={hit} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function HitCard({ hit }: { readonly hit: VectorHits['hits'][number] }): ReactNode {
  const { t } = useTranslation();
  const { score, keywordScore, text, span, metadata } = hit;
  const { title } = metadata;
  return (
    <>
      <div className="row">
        {score !== null && (
          <Badge tone="brand">{t('pages.vectors.search.score', { score: score.toFixed(3) })}</Badge>
        )}
        {keywordScore !== null && (
          <Badge>{t('pages.vectors.search.keywordScore', { score: keywordScore.toFixed(2) })}</Badge>
        )}
        {typeof title === 'string' && <strong>{title}</strong>}
      </div>
      <p className="passage">{text ?? t('pages.vectors.search.noText')}</p>
      {span && <Place span={span} />}
      <Metadata metadata={metadata} />
    </>
  );
}
