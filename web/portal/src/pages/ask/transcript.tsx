import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Markdown } from '../../ui/markdown.tsx';
import { EmptyState, Fault } from '../../ui/states.tsx';
import { type Part, type Turn, answerText } from './conversation.ts';
import { ToolStep } from './tool-step.tsx';

/** Questions and answers. What streams in is read out once, when it is whole. */
export function Transcript({ turns }: { readonly turns: readonly Turn[] }): ReactNode {
  const { t } = useTranslation();
  const newest = useRef<HTMLLIElement>(null);
  // The question that was asked just now goes to the top, and its answer has the screen below.
  useEffect(() => {
    newest.current?.scrollIntoView({ block: 'start' });
  }, [turns.length]);
  return (
    <>
      {turns.length === 0 && (
        <EmptyState title={t('pages.ask.empty.title')} icon="ask">
          <p>{t('pages.ask.empty.what')}</p>
        </EmptyState>
      )}
      {turns.length > 0 && (
        <ol className="turns">
          {turns.map((turn, at) => (
            <li key={turn.id} className="turn" ref={at === turns.length - 1 ? newest : null}>
              <div className="question">
                <span className="visually-hidden">{t('pages.ask.youAsked')} </span>
                {turn.question}
              </div>
              <Reply turn={turn} />
            </li>
          ))}
        </ol>
      )}
      <Announcements turns={turns} />
    </>
  );
}

function Reply({ turn }: { readonly turn: Turn }): ReactNode {
  const { t } = useTranslation();
  const { parts, state, answer, error } = turn;
  return (
    <div className="reply" aria-busy={state === 'running'}>
      {parts.map((part, at) => (
        <PartView key={at} part={part} />
      ))}
      {state === 'running' && <p className="working muted">{t('pages.ask.working')}</p>}
      {state === 'stopped' && <p className="muted">{t('pages.ask.stopped')}</p>}
      {error && <Fault error={error} />}
      {answer && answer.finish !== 'complete' && (
        <p className="notice warn">{t(`pages.ask.finish.${answer.finish}`)}</p>
      )}
      {answer && (
        <p className="muted by">{t('pages.ask.by', { model: answer.model, platform: answer.platform })}</p>
      )}
    </div>
  );
}

function PartView({ part }: { readonly part: Part }): ReactNode {
  return part.is === 'text' ? <Markdown text={part.text} /> : <ToolStep part={part} />;
}

/** Only the newest: earlier answers were read out, and stand in the list above. */
function Announcements({ turns }: { readonly turns: readonly Turn[] }): ReactNode {
  const { t } = useTranslation();
  const last = turns.at(-1);
  const isOver = last !== undefined && last.state !== 'running';
  return (
    <div
      className="visually-hidden"
      role="log"
      aria-label={t('pages.ask.announced')}
      aria-relevant="additions"
    >
      {isOver && <p key={last.id}>{last.error?.message ?? answerText(last)}</p>}
    </div>
  );
}
