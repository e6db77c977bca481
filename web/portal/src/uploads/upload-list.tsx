import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Progress } from '../ui/progress.tsx';
import './uploads.css';
import { type Upload, type Uploads, hasEnded } from './use-uploads.ts';

/** Formats that the platform reads, by the endings of their files. */
export const DOCUMENT_ENDINGS = ['.pdf', '.docx', '.html', '.htm', '.md', '.csv', '.txt'];

/** How far each file is, or why it failed. */
export function UploadList({ uploads }: { readonly uploads: Uploads }): ReactNode {
  const { t } = useTranslation();
  if (uploads.all.length === 0) return undefined;
  return (
    <div className="stack">
      <ul className="upload-list" aria-label={t('uploads.title')}>
        {uploads.all.map((upload) => (
          <li key={upload.key}>
            <UploadState upload={upload} onCancel={() => uploads.cancel(upload)} />
          </li>
        ))}
      </ul>
      {uploads.all.some(hasEnded) && (
        <div className="row">
          <Button kind="quiet" onPress={uploads.clear}>
            {t('uploads.clear')}
          </Button>
        </div>
      )}
    </div>
  );
}

function UploadState(props: { readonly upload: Upload; readonly onCancel: () => void }): ReactNode {
  const { t } = useTranslation();
  const { name, progress, error } = props.upload;
  const failure = error?.message ?? progress?.error?.message;
  if (failure !== undefined) {
    return (
      <div className="notice bad" role="alert">
        <p>
          <strong>{name}</strong>: {failure}
        </p>
      </div>
    );
  }
  if (progress?.status === 'completed') {
    return (
      <p className="row" role="status">
        <Icon name="check" />
        {t('uploads.completed', { name, count: progress.passages })}
      </p>
    );
  }
  return (
    <div className="upload">
      <Progress
        label={`${name}: ${t(`uploads.status.${progress?.status ?? 'sending'}`)}`}
        value={shareOf(progress)}
      />
      {progress !== undefined && (
        <Button kind="quiet" onPress={props.onCancel} aria-label={`${t('confirm.cancel')}: ${name}`}>
          {t('confirm.cancel')}
        </Button>
      )}
    </div>
  );
}

/** Reading is the first half, embedding the second; undefined while nobody knows how much there is. */
function shareOf(progress: Upload['progress']): number | undefined {
  if (progress === undefined || progress.status === 'queued') return undefined;
  const { status, pagesDone, pages, passages, embedded } = progress;
  if (status === 'reading') return pages === null || pages === 0 ? undefined : (pagesDone / pages) * 0.5;
  return passages === 0 ? undefined : 0.5 + (embedded / passages) * 0.5;
}
