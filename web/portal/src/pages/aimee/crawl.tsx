import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { AimeeCrawl, AimeeCrawlForm, AimeeSite } from '../../../../../contract/aimee.ts';
import { request } from '../../api.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Segments } from '../../ui/choice.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Card } from '../../ui/page.tsx';
import { Progress } from '../../ui/progress.tsx';
import { Fault } from '../../ui/states.tsx';
import { siteApi, siteKey } from './data.ts';
import { linesOf } from './parsed-field.tsx';

const WATCH_MS = 1000;

/** Reads pages of the site itself into the knowledge; only addresses that the site allows. */
export function Crawl({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const path = siteApi(site.id, '/crawl');
  const key = siteKey(site.id, 'crawl');
  const { data } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => request<AimeeCrawl>(path, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'running' ? WATCH_MS : false),
  });
  const keep = (crawl: AimeeCrawl): void => void client.setQueryData(key, crawl);
  const start = useMutation({
    mutationFn: (body: AimeeCrawlForm) => request<AimeeCrawl>(path, { method: 'POST', body }),
    onSuccess: keep,
  });
  const cancel = useMutation({
    mutationFn: () => request<AimeeCrawl>(path, { method: 'DELETE' }),
    onSuccess: keep,
  });
  const isRunning = data?.status === 'running';
  const pagesDone = data?.pagesDone;
  useEffect(() => {
    void client.invalidateQueries({ queryKey: siteKey(site.id, 'knowledge') });
  }, [client, site.id, pagesDone, isRunning]);
  return (
    <Card title={t('pages.aimee.crawl.title')}>
      {site.allowedOrigins.length === 0 ? (
        <NoOrigins />
      ) : (
        <CrawlForm site={site} isDisabled={isRunning} onStart={(form) => start.mutate(form)} />
      )}
      {start.error && <Fault error={start.error} />}
      {data && isRunning && (
        <div className="upload">
          <Progress
            label={t('pages.aimee.crawl.running', { done: data.pagesDone, pages: data.pages })}
            value={data.pages === 0 ? undefined : data.pagesDone / data.pages}
          />
          <Button kind="quiet" isPending={cancel.isPending} onPress={() => cancel.mutate()}>
            {t('pages.aimee.crawl.cancel')}
          </Button>
        </div>
      )}
      {data && !isRunning && data.status !== 'idle' && <CrawlResult crawl={data} />}
    </Card>
  );
}

function NoOrigins(): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <p className="muted">{t('pages.aimee.crawl.noOrigins')}</p>
      <div className="row">
        <LinkButton href="?tab=look">{t('pages.aimee.crawl.addOrigins')}</LinkButton>
      </div>
    </>
  );
}

function CrawlForm(props: {
  readonly site: AimeeSite;
  readonly isDisabled: boolean;
  readonly onStart: (form: AimeeCrawlForm) => void;
}): ReactNode {
  const { t } = useTranslation();
  const [by, setBy] = useState<'sitemap' | 'urls'>('sitemap');
  const [sitemap, setSitemap] = useState(`${props.site.allowedOrigins[0] ?? ''}/sitemap.xml`);
  const [urls, setUrls] = useState('');
  return (
    <Form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        props.onStart(by === 'sitemap' ? { sitemap: sitemap.trim() } : { urls: linesOf(urls) });
      }}
    >
      <p className="muted">
        {t('pages.aimee.crawl.text', { origins: props.site.allowedOrigins.join(', ') })}
      </p>
      <Segments
        label={t('pages.aimee.crawl.by')}
        value={by}
        onChange={setBy}
        options={(['sitemap', 'urls'] as const).map((id) => ({
          id,
          name: t(`pages.aimee.crawl.byOf.${id}`),
        }))}
      />
      {by === 'sitemap' ? (
        <TextField
          type="url"
          label={t('pages.aimee.crawl.sitemap')}
          value={sitemap}
          onChange={setSitemap}
          isRequired
        />
      ) : (
        <TextField
          label={t('pages.aimee.crawl.urls')}
          hint={t('pages.aimee.crawl.urlsHint')}
          value={urls}
          onChange={setUrls}
          isLong
          isRequired
        />
      )}
      <div className="row">
        <Button type="submit" isDisabled={props.isDisabled}>
          {t('pages.aimee.crawl.start')}
        </Button>
      </div>
    </Form>
  );
}

function CrawlResult({ crawl }: { readonly crawl: AimeeCrawl }): ReactNode {
  const { t } = useTranslation();
  const { status, pagesDone, pages, removed, failures } = crawl;
  return (
    <div className="stack">
      <p role="status">
        {t(status === 'completed' ? 'pages.aimee.crawl.completed' : 'pages.aimee.crawl.cancelled', {
          done: pagesDone,
          pages,
          removed,
        })}
      </p>
      {failures.length > 0 && (
        <details>
          <summary>{t('pages.aimee.crawl.failures', { count: failures.length })}</summary>
          <ul className="words">
            {failures.map(({ url, message }) => (
              <li key={url}>
                <code>{url}</code> {message}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
