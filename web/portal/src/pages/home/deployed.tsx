import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { FunctionResource } from '../../../../../contract/api-v1.ts';
import { Badge } from '../../ui/badge.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { Table } from '../../ui/table.tsx';
import { functionPath } from '../library/functions.ts';

/** The account's own functions: what version runs, on what, and whether an instance waits for the next call. */
export function Deployed({ functions }: { readonly functions: readonly FunctionResource[] }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('pages.home.deployed.title')}>
      <p className="muted">{t('pages.home.deployed.states')}</p>
      <Table
        label={t('pages.home.deployed.title')}
        rows={functions}
        rowKey={({ shortname }) => shortname}
        columns={[
          {
            id: 'name',
            name: t('pages.home.deployed.name'),
            cell: ({ name, shortname }) => (
              <div>
                <Link to={functionPath(shortname)}>{name}</Link>
                <div className="muted">
                  <code>{shortname}</code>
                </div>
              </div>
            ),
          },
          {
            id: 'state',
            name: t('pages.home.deployed.state'),
            cell: (fn) => (
              <div className="row">
                <Warmth instances={instancesOf(fn)} />
                {fn.published && <Badge tone="brand">{t('pages.library.published')}</Badge>}
              </div>
            ),
          },
          {
            id: 'version',
            name: t('pages.home.deployed.version'),
            cell: ({ versions }) =>
              t('pages.home.deployed.versions', { newest: versions[0]?.version, count: versions.length }),
          },
          {
            id: 'runtime',
            name: t('pages.home.deployed.runtime'),
            cell: ({ versions }) => versions[0]?.runtimeDetail ?? '',
          },
          {
            id: 'released',
            name: t('pages.home.deployed.released'),
            cell: ({ versions }) => format.time(versions[0]?.releasedAt ?? ''),
          },
        ]}
      />
    </Card>
  );
}

function Warmth({ instances }: { readonly instances: number }): ReactNode {
  const { t } = useTranslation();
  return instances > 0 ? (
    <Badge tone="good">{t('pages.home.deployed.warm', { count: instances })}</Badge>
  ) : (
    <Badge>{t('pages.home.deployed.asleep')}</Badge>
  );
}

function instancesOf({ versions }: FunctionResource): number {
  return versions
    .flatMap(({ deployments }) => deployments)
    .reduce((sum, { instances }) => sum + instances, 0);
}
