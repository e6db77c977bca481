import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type {
  DescribedVectorDatabase,
  VectorAnswer,
  VectorAnswerEvent,
} from '../../../../../contract/vectors.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Foldable } from '../../ui/foldable.tsx';
import { Markdown } from '../../ui/markdown.tsx';
import { Card } from '../../ui/page.tsx';
import { Fault } from '../../ui/states.tsx';
import { type Streamed, useStreamed } from '../../use-streamed.ts';
import { vectorApi } from './data.ts';
import { Changed, Place } from './passages.tsx';

interface Asked {
  readonly text: string;
  readonly answer?: VectorAnswer;
}
const NOTHING: Asked = { text: '' };

type AnswerEvent = Exclude<VectorAnswerEvent, { type: 'error' }>;

function withEvent(asked: Asked, event: AnswerEvent): Asked {
  if (event.type === 'answer') return { ...asked, answer: event };
  return event.type === 'text' ? { ...asked, text: asked.text + event.text } : asked;
}

export function Ask({ database }: { readonly database: DescribedVectorDatabase }): ReactNode {
  const { t } = useTranslation();
  const [question, setQuestion] = useState('');
  const [isReranked, setReranked] = useState(false);
  const path = vectorApi(database.name, '/ask');
  const { current, begin, stop } = useStreamed<VectorAnswerEvent, Asked>(path, NOTHING, withEvent);
  if (database.model === null) return <p className="notice">{t('pages.vectors.search.none')}</p>;
  return (
    <>
      <Card>
        <Form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void begin({ question, rerank: isReranked });
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
            {current?.isRunning ? (
              <Button onPress={stop}>{t('pages.vectors.ask.stop')}</Button>
            ) : (
              <Button type="submit" kind="primary">
                {t('pages.vectors.ask.submit')}
              </Button>
            )}
          </div>
        </Form>
      </Card>
      {current && <Answer {...current} />}
    </>
  );
}

function Answer({ state: { text, answer }, error, isRunning }: Streamed<Asked>): ReactNode {
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

const TITLE_LENGTH = 60;

function Citations({ citations }: Pick<VectorAnswer, 'citations'>): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="stack" aria-label={t('pages.vectors.ask.citations')}>
      <h3>{t('pages.vectors.ask.citations')}</h3>
      {citations.map((citation) => (
        <Foldable
          key={citation.number}
          level={4}
          title={`[${citation.number}] ${citation.headings.at(-1) ?? citation.quote.slice(0, TITLE_LENGTH)}`}
        >
          <blockquote className="passage">{citation.quote}</blockquote>
          <Place span={citation} />
        </Foldable>
      ))}
    </section>
  );
}
