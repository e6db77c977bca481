import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { BadBuild } from '../../../../../contract/compatible.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { useLibraryChanged } from './functions.ts';

/** Builds that failed, each with the tool's own words. Nothing is shown when there are none. */
export function BadBuilds({ builds }: { readonly builds: readonly BadBuild[] }): ReactNode {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState<BadBuild>();
  const changed = useLibraryChanged();
  if (builds.length === 0) return null;
  return (
    <Card title={t('pages.library.badBuilds.title')}>
      <p className="muted">{t('pages.library.badBuilds.lead')}</p>
      {builds.map((build) => (
        <BadBuildEntry key={build.buildId} build={build} onRemove={() => setRemoving(build)} />
      ))}
      <Confirm
        title={t('pages.library.badBuilds.remove')}
        action={t('pages.library.badBuilds.remove')}
        isOpen={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        onConfirm={async () => {
          await request(`/core-service/v1/badbuilds?id=${encodeURIComponent(removing?.buildId ?? '')}`, {
            method: 'DELETE',
          });
          await changed();
        }}
      >
        <p>{t('pages.library.badBuilds.removeWhat', { name: removing?.name })}</p>
      </Confirm>
    </Card>
  );
}

function BadBuildEntry({
  build: { name, functionId, createdAt, errorDetails },
  onRemove,
}: {
  readonly build: BadBuild;
  readonly onRemove: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <article className="bad-build">
      <div className="page-head">
        <div>
          <h3>{name}</h3>
          <p className="muted">
            <code>{functionId}</code> · {format.time(createdAt)}
          </p>
        </div>
        <Button kind="quiet" onPress={onRemove} aria-label={t('pages.library.badBuilds.removeOne', { name })}>
          <Icon name="trash" />
          {t('pages.library.badBuilds.remove')}
        </Button>
      </div>
      <BuildFailure label={t('pages.library.badBuilds.details', { name })} details={errorDetails} />
    </article>
  );
}

/** What the build tool said, as it said it. */
export function BuildFailure({
  label,
  details,
}: {
  readonly label: string;
  readonly details: string;
}): ReactNode {
  return (
    <pre className="log" role="region" aria-label={label} tabIndex={0}>
      {details}
    </pre>
  );
}
