import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FunctionResource } from '../../../../../contract/api-v1.ts';
import type { Version } from '../../../../../contract/compatible.ts';
import { request } from '../../api.ts';
import { Badge, Figure } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { useLibraryChanged } from './functions.ts';
import { Egress } from './overview.tsx';

type FunctionVersion = FunctionResource['versions'][number];

/** Every version that can be called, newest first: each has addresses of its own, which never change. */
export function Versions({
  fn,
  documents,
}: {
  readonly fn: FunctionResource;
  readonly documents: readonly Version[];
}): ReactNode {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState<number>();
  const changed = useLibraryChanged();
  const canDelete = fn.mine && fn.versions.length > 1;
  return (
    <>
      {fn.versions.map((version, at) => (
        <VersionCard
          key={version.version}
          version={version}
          isNewest={at === 0}
          documented={documents.find((one) => one.version === version.version)}
          onDelete={canDelete ? () => setDeleting(version.version) : undefined}
        />
      ))}
      <Confirm
        title={t('pages.library.versions.delete', { version: deleting })}
        action={t('pages.library.versions.delete', { version: deleting })}
        isOpen={deleting !== undefined}
        onClose={() => setDeleting(undefined)}
        onConfirm={async () => {
          const path = `/api/v1/functions/${encodeURIComponent(fn.shortname)}?version=${deleting}`;
          await request(path, { method: 'DELETE' });
          await changed();
        }}
      >
        <p>{t('pages.library.versions.deleteWhat')}</p>
      </Confirm>
    </>
  );
}

function VersionCard(props: {
  readonly version: FunctionVersion;
  readonly isNewest: boolean;
  readonly documented: Version | undefined;
  readonly onDelete: (() => void) | undefined;
}): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { version, onDelete } = props;
  const { invocations, failures, avgDurationMs } = version.statistics;
  return (
    <Card
      title={t('pages.library.versions.title', { version: version.version })}
      actions={
        <div className="row">
          {props.isNewest && <Badge tone="brand">{t('pages.library.versions.newest')}</Badge>}
          {onDelete && (
            <Button
              kind="quiet"
              onPress={onDelete}
              aria-label={t('pages.library.versions.delete', { version: version.version })}
            >
              <Icon name="trash" />
              {t('pages.library.delete.action')}
            </Button>
          )}
        </div>
      }
    >
      <p className="muted">
        {format.time(version.releasedAt)} · {version.runtimeDetail} · {version.entrypoint} ·{' '}
        {t('pages.library.versions.timeout', { seconds: version.timeoutSeconds })}
      </p>
      {props.documented?.description && <p>{props.documented.description}</p>}
      <dl className="figures">
        <Figure label={t('pages.library.versions.calls')} value={format.number(invocations)} />
        <Figure label={t('pages.library.versions.failures')} value={format.number(failures)} />
        <Figure
          label={t('pages.library.versions.average')}
          value={invocations === 0 ? '–' : format.duration(avgDurationMs)}
        />
      </dl>
      <dl className="facts">
        <div>
          <dt>{t('pages.library.facts.egress')}</dt>
          <dd>
            <Egress hosts={version.egress} />
          </dd>
        </div>
        {version.corsOrigins.length > 0 && (
          <div>
            <dt>{t('pages.library.versions.origins')}</dt>
            <dd>
              <code>{version.corsOrigins.join(', ')}</code>
            </dd>
          </div>
        )}
      </dl>
      {version.deployments.map(({ id, size, url }) => (
        <CodeBlock key={id} label={t('pages.library.versions.address', { size })} text={url} />
      ))}
    </Card>
  );
}
