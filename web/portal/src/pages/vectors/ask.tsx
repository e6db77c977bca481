import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Disclosure, DisclosurePanel, Form, Heading, Button as AriaButton } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type {
  DescribedVectorDatabase,
  VectorAnswer,
  VectorAnswerEvent,
} from '../../../../../contract/vectors.ts';
import { ApiError } from '../../api.ts';
import { streamOf } from '../../events.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Markdown } from '../../ui/markdown.tsx';
import { Card } from '../../ui/page.tsx';
import { Fault } from '../../ui/states.tsx';
import { vectorApi } from './data.ts';
import { Changed, Place } from './passages.tsx';

interface Asked {
  readonly text: string;
  readonly answer?: VectorAnswer;
  readonly error?: Error;
  readonly isRunning: boolean;
}

export function Ask({ database }: { readonly database: DescribedVectorDatabase }): ReactNode {
  const { t } = useTranslation();
  const [question, setQuestion] = useState('');
  const [isReranked, setReranked] = useState(false);
  const { asked, ask, stop } = useAnswer(database.name);
  if (database.model === null) return <p className="notice">{t('pages.vectors.search.none')}</p>;
  return (
    <>
      <Card>
        <Form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void ask({ question, rerank: isReranked });
          }}
        >
          <TextField
            label={t('pages.vectors.ask.question')}
            hint={t('pages.vectors.ask.hint')}
            value={question}
            onChange={setQuestion}
            isRequired
          />
          <Checkbox isSelected={isReranked} onChange={setReranked}>
            {t('pages.vectors.search.rerank')}
          </Checkbox>
          <div className="row">
            {asked?.isRunning ? (
              <Button onPress={stop}>{t('pages.vectors.ask.stop')}</Button>
            ) : (
              <Button type="submit" kind="primary">
                {t('pages.vectors.ask.submit')}
              </Button>
            )}
          </div>
        </Form>
      </Card>
      {asked && <Answer {...asked} />}
    </>
  );
}

/** One question at a time; leaving the page calls it off, and nothing of it is kept. */
function useAnswer(name: string): {
  readonly asked: Asked | undefined;
  readonly ask: (body: { readonly question: string; readonly rerank: boolean }) => Promise<void>;
  readonly stop: () => void;
} {
  const [asked, setAsked] = useState<Asked>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  return {
    asked,
    async ask(body) {
      const current = new AbortController();
      running.current = current;
      setAsked({ text: '', isRunning: true });
      const change = (part: (before: Asked) => Asked): void => setAsked((before) => before && part(before));
      try {
        const options = { method: 'POST', body, signal: current.signal } as const;
        for await (const event of streamOf<VectorAnswerEvent>(vectorApi(name, '/ask'), options)) {
          if (event.type === 'text') change((before) => ({ ...before, text: before.text + event.text }));
          if (event.type === 'answer') change((before) => ({ ...before, answer: event }));
          if (event.type === 'error') throw new ApiError({ ...event, errors: [] });
        }
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (!current.signal.aborted) change((before) => ({ ...before, error }));
      }
      if (running.current === current) change((before) => ({ ...before, isRunning: false }));
    },
    stop: () => running.current?.abort(),
  };
}

function Answer({ text, answer, error, isRunning }: Asked): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.vectors.ask.answer')}>
      {answer && <AnsweredBy answer={answer} />}
      {/* Read out once it is whole, not piece by piece. */}
      <div aria-live="polite" aria-busy={isRunning}>
        <Markdown text={answer?.answer ?? text} />
        {isRunning && text === '' && <p className="muted">{t('pages.vectors.ask.running')}</p>}
      </div>
      {error && <Fault error={error} />}
      {answer && <Changed changed={answer.changed} />}
      {answer && answer.citations.length > 0 && <Citations citations={answer.citations} />}
    </Card>
  );
}

function AnsweredBy({ answer }: { readonly answer: VectorAnswer }): ReactNode {
  const { t } = useTranslation();
  const { engine, platform, model, retention } = answer;
  return (
    <div className="row">
      <Badge tone={engine === 'none' ? 'warn' : 'brand'}>{t(`pages.vectors.ask.engines.${engine}`)}</Badge>
      {model !== null && (
        <span className="muted">
          {platform}: {model} · {t(`pages.vectors.ask.retention.${retention}`)}
        </span>
      )}
    </div>
  );
}

function Citations({ citations }: Pick<VectorAnswer, 'citations'>): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="stack" aria-label={t('pages.vectors.ask.citations')}>
      <h3>{t('pages.vectors.ask.citations')}</h3>
      {citations.map((citation) => (
        <Disclosure key={citation.number} className="citation">
          <Heading level={4}>
            <AriaButton slot="trigger" className="button quiet">
              [{citation.number}] {citation.headings.at(-1) ?? citation.quote.slice(0, 60)}
            </AriaButton>
          </Heading>
          <DisclosurePanel>
            <blockquote className="passage">{citation.quote}</blockquote>
            <Place span={citation} />
          </DisclosurePanel>
        </Disclosure>
      ))}
    </section>
  );
}
