import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeConversation, AimeeEntry } from '../../../../../contract/aimee-conversations.ts';
import { Badge } from '../../ui/badge.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Markdown } from '../../ui/markdown.tsx';

/** What was said, in order. All of it is somebody else's text: visitors' as plain text, answers as safe Markdown. */
export function Transcript(props: {
  readonly entries: readonly AimeeEntry[];
  readonly notes: AimeeConversation['notes'];
}): ReactNode {
  const { t } = useTranslation();
  const { entries, notes } = props;
  return (
    <ol className="transcript">
      {entries.map((entry) => (
        <li key={entry.number}>
          {entry.kind === 'answer' ? <Exchange entry={entry} /> : <HandOver entry={entry} />}
          {notes
            .filter((note) => note.entry === entry.number)
            .map(({ text }, at) => (
              <p key={at} className="notice">
                <strong>{t('pages.aimee.reading.note')}</strong>{' '}
                <span className="words" dir="auto">
                  {text}
                </span>
              </p>
            ))}
        </li>
      ))}
    </ol>
  );
}

function Exchange({ entry }: { readonly entry: Extract<AimeeEntry, { kind: 'answer' }> }): ReactNode {
  return (
    <>
      <Said by="visitor">{entry.question}</Said>
      <Said by="assistant">
        <Markdown text={entry.answer} />
      </Said>
      <Remarks entry={entry} />
    </>
  );
}

function Said({
  by,
  children,
}: {
  readonly by: 'visitor' | 'assistant';
  readonly children: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <div className={`said ${by}`}>
      <span className="small muted">{t(`pages.aimee.reading.${by}`)}</span>
      <div className="words" dir="auto">
        {children}
      </div>
    </div>
  );
}

/** How the answer was, and what it rests on. Addresses are shown, never followed. */
function Remarks({ entry }: { readonly entry: Extract<AimeeEntry, { kind: 'answer' }> }): ReactNode {
  const { t } = useTranslation();
  const { answered, rating, sources } = entry;
  return (
    <div className="remarks">
      {!answered && <Badge tone="warn">{t('pages.aimee.reading.notAnswered')}</Badge>}
      {rating !== 'none' && (
        <Badge tone={rating === 'up' ? 'good' : 'bad'}>
          <Icon name={rating} size={14} />
          {t(`pages.aimee.reading.rated.${rating}`)}
        </Badge>
      )}
      {sources.length > 0 && (
        <details>
          <summary>{t('pages.aimee.reading.sources', { count: sources.length })}</summary>
          <ul>
            {sources.map(({ title, url }, at) => (
              <li key={at}>
                <span dir="auto">{title}</span> {url !== null && <span className="muted small">{url}</span>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function HandOver({ entry }: { readonly entry: Extract<AimeeEntry, { kind: 'hand-over' }> }): ReactNode {
  const { t } = useTranslation();
  const { email, text, turns } = entry;
  return (
    <div className="notice hand-over">
      <p>
        <strong>{t('pages.aimee.reading.handOver')}</strong> <span>{email}</span>
      </p>
      {text !== '' && (
        <p className="words" dir="auto">
          {text}
        </p>
      )}
      {turns.length > 0 && (
        <details>
          <summary>{t('pages.aimee.reading.turns', { count: turns.length })}</summary>
          {turns.map(({ role, text: said }, at) => (
            <Said key={at} by={role}>
              {said}
            </Said>
          ))}
        </details>
      )}
    </div>
  );
}
