import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { FunctionResource } from '../../../../../contract/api-v1.ts';
import type { Version } from '../../../../../contract/compatible.ts';
import { Badge } from '../../ui/badge.tsx';
import { useFormat } from '../../ui/format.ts';
import { Markdown } from '../../ui/markdown.tsx';
import { Card } from '../../ui/page.tsx';
import { decodeText } from './functions.ts';

/** What its author says of the function, and what the platform knows of it. */
export function Overview({
  fn,
  document,
}: {
  readonly fn: FunctionResource;
  readonly document: Version;
}): ReactNode {
  const { t } = useTranslation();
  const readme = decodeText(document.readmeFile);
  return (
    <div className="overview">
      <div className="stack">
        <Card title={t('pages.library.readme')}>
          {readme.trim() === '' ? (
            <p className="muted">{t('pages.library.noReadme')}</p>
          ) : (
            <Markdown text={readme} />
          )}
        </Card>
        <Changelog document={document} />
      </div>
      <Facts fn={fn} document={document} />
    </div>
  );
}

function Facts({ fn, document }: { readonly fn: FunctionResource; readonly document: Version }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const facts = [
    { id: 'version', value: String(document.version) },
    { id: 'runtime', value: document.runtimeDetail },
    { id: 'released', value: format.time(document.releaseDate) },
    { id: 'created', value: format.time(fn.createdAt) },
  ] as const;
  return (
    <Card title={t('pages.library.facts.title')}>
      <dl className="facts">
        {facts.map(({ id, value }) => (
          <div key={id}>
            <dt>{t(`pages.library.facts.${id}`)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>{t('pages.library.facts.egress')}</dt>
          <dd>
            <Egress hosts={document.egress} />
          </dd>
        </div>
        {fn.tags.length > 0 && (
          <div>
            <dt>{t('pages.library.tags')}</dt>
            <dd className="row">
              {fn.tags.map((tag) => (
                <Badge key={tag}>{tag}</Badge>
              ))}
            </dd>
          </div>
        )}
      </dl>
    </Card>
  );
}

/** Where data could go: none, some hosts, or anywhere. */
export function Egress({ hosts }: { readonly hosts: readonly string[] }): ReactNode {
  const { t } = useTranslation();
  if (hosts.length === 0) return <Badge tone="good">{t('pages.library.egress.none')}</Badge>;
  if (hosts.includes('*')) return <Badge tone="warn">{t('pages.library.egress.any')}</Badge>;
  return (
    <ul className="plain-list">
      {hosts.map((host) => (
        <li key={host}>
          <code>{host}</code>
        </li>
      ))}
    </ul>
  );
}

/** The newest entry if the author wrote one, else the whole text. */
export function Changelog({
  document: { changeLog, changeLogDetails },
}: {
  readonly document: Version;
}): ReactNode {
  const { t } = useTranslation();
  if (changeLogDetails === undefined && changeLog === undefined) return null;
  const kinds = (['added', 'updated', 'removed'] as const)
    .map((kind) => ({ kind, text: decodeText(changeLogDetails?.[kind] ?? '') }))
    .filter(({ text }) => text.trim() !== '');
  return (
    <Card title={t('pages.library.changelog.title')}>
      {changeLogDetails && changeLogDetails.date !== '' && <p className="muted">{changeLogDetails.date}</p>}
      {kinds.map(({ kind, text }) => (
        <section key={kind} className="stack">
          <h3>{t(`pages.library.changelog.${kind}`)}</h3>
          <Markdown text={text} />
        </section>
      ))}
      {kinds.length === 0 && <Markdown text={decodeText(changeLog ?? '')} />}
    </Card>
  );
}
