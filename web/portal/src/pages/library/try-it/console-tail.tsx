import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type * as z from 'zod';
import type { ConsoleLine } from '../../../../../../contract/api-v1.ts';
import { streamOf } from '../../../events.ts';
import { Button } from '../../../ui/button.tsx';
import { LiveLog, type LogLine } from '../../../ui/live-log.tsx';
import { Card } from '../../../ui/page.tsx';
import { Fault } from '../../../ui/states.tsx';

const LINES_MAX = 1000;

/** A line, or how many were left out because the page did not keep up. */
type ConsoleEvent = z.infer<typeof ConsoleLine> | { readonly lines: number };

/** What the function prints during the owner's own calls, from the moment of asking. */
export function ConsoleTail({ shortname }: { readonly shortname: string }): ReactNode {
  const { t } = useTranslation();
  const [isWatching, setWatching] = useState(false);
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [error, setError] = useState<Error>();
  useEffect(() => {
    if (!isWatching) return undefined;
    const leaving = new AbortController();
    const add = (line: LogLine): void => setLines((before) => [...before, line].slice(-LINES_MAX));
    const watch = async (): Promise<void> => {
      const path = `/api/v1/functions/${encodeURIComponent(shortname)}/console`;
      for await (const event of streamOf<ConsoleEvent>(path, { signal: leaving.signal })) {
        if ('text' in event) add({ text: event.text, isError: event.stream === 'stderr' });
        else add({ text: t('pages.library.console.dropped', { count: event.lines }), isError: true });
      }
    };
    watch()
      .catch((thrown: unknown) => {
        if (!leaving.signal.aborted) setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      })
      .finally(() => {
        if (!leaving.signal.aborted) setWatching(false);
      });
    return () => leaving.abort();
  }, [isWatching, shortname, t]);
  return (
    <Card
      title={t('pages.library.console.title')}
      actions={
        <div className="row">
          <Button
            onPress={() => {
              setError(undefined);
              setWatching(!isWatching);
            }}
          >
            {t(isWatching ? 'pages.library.console.stop' : 'pages.library.console.start')}
          </Button>
          {lines.length > 0 && (
            <Button kind="quiet" onPress={() => setLines([])}>
              {t('pages.library.console.clear')}
            </Button>
          )}
        </div>
      }
    >
      <p className="muted">{t('pages.library.console.lead')}</p>
      {error && <Fault error={error} />}
      {(isWatching || lines.length > 0) && <LiveLog label={t('pages.library.console.title')} lines={lines} />}
    </Card>
  );
}
