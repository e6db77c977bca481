import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SqlAnswer, SqlEvent } from '../../../../../contract/sql.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Markdown } from '../../ui/markdown.tsx';
import { Card } from '../../ui/page.tsx';
import { Fault } from '../../ui/states.tsx';
import { type Streamed, useStreamed } from '../../use-streamed.ts';
import { SQL_API } from './data.ts';
import { ResultRows } from './result.tsx';

export type Target =
  | { readonly database: string }
  | { readonly connection: string; readonly tables: readonly string[] };

type Step = Extract<SqlEvent, { type: 'statement' | 'refused' | 'result' }>;

interface Asked {
  readonly steps: readonly Step[];
  readonly text: string;
  readonly answer?: SqlAnswer;
}
const NOTHING: Asked = { steps: [], text: '' };

type AnswerEvent = Exclude<SqlEvent, { type: 'error' }>;

function withEvent(asked: Asked, event: AnswerEvent): Asked {
  if (event.type === 'text') return { ...asked, text: asked.text + event.text };
  if (event.type === 'answer') return { ...asked, answer: event };
  return event.type === 'done' ? asked : { ...asked, steps: [...asked.steps, event] };
}

/** A question in words. The statement is shown before the answer that rests on it. */
export function AskSql(props: {
  /** Which database, and what of it may be read. */
  readonly target: Target;
  readonly isReady?: boolean;
  /** Fields that say which database, if it is not known yet. */
  readonly children?: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const { target, isReady = true } = props;
  const [question, setQuestion] = useState('');
  const [hidesRows, setHidesRows] = useState(false);
  const [onlyWrites, setOnlyWrites] = useState(false);
  const { current, begin, stop } = useStreamed<SqlEvent, Asked>(`${SQL_API}/ask`, NOTHING, withEvent);
  return (
    <>
      <Card>
        <Form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            const rows = hidesRows ? ({ rows: 'none' } as const) : {};
            void begin({ ...target, ...rows, question, explainOnly: onlyWrites, trace: true });
          }}
        >
          {props.children}
          <TextField
            label={t('pages.sql.ask.question')}
            hint={t('pages.sql.ask.hint')}
            value={question}
            onChange={setQuestion}
            isRequired
          />
          <Checkbox isSelected={hidesRows} onChange={setHidesRows}>
            {t('pages.sql.ask.hideRows')}
          </Checkbox>
          <Checkbox isSelected={onlyWrites} onChange={setOnlyWrites}>
            {t('pages.sql.ask.onlyWrite')}
          </Checkbox>
          <div className="row">
            {current?.isRunning ? (
              <Button onPress={stop}>{t('pages.sql.ask.stop')}</Button>
            ) : (
              <Button type="submit" kind="primary" isDisabled={!isReady}>
                {t('pages.sql.ask.submit')}
              </Button>
            )}
          </div>
        </Form>
      </Card>
      {current && <Answer {...current} />}
    </>
  );
}

function Answer({ state, error, isRunning }: Streamed<Asked>): ReactNode {
  const { t } = useTranslation();
  const { steps, text, answer } = state;
  const words = answer?.answer ?? text;
  return (
    <Card title={t('pages.sql.ask.answer')}>
      {steps.map((step, at) => (
        <AnswerStep key={at} step={step} />
      ))}
      {/* Read out once it is whole, not piece by piece. */}
      <div aria-live="polite" aria-busy={isRunning}>
        {words !== '' && <Markdown text={words} />}
        {isRunning && words === '' && <p className="muted">{t('pages.sql.ask.running')}</p>}
      </div>
      {error && <Fault error={error} />}
      {answer && <AnsweredBy answer={answer} />}
    </Card>
  );
}

function AnswerStep({ step }: { readonly step: Step }): ReactNode {
  const { t } = useTranslation();
  if (step.type === 'statement') return <CodeBlock label={t('pages.sql.ask.statement')} text={step.sql} />;
  if (step.type === 'result') return <ResultRows {...step} />;
  return (
    <div className="notice warn">
      <p>
        {t('pages.sql.ask.refused')} {step.reason}
      </p>
      {step.sql !== null && <code>{step.sql}</code>}
    </div>
  );
}

function AnsweredBy({ answer }: { readonly answer: SqlAnswer }): ReactNode {
  const { t } = useTranslation();
  const { platform, model, retention, rows } = answer;
  return (
    <div className="row">
      <Badge tone={rows === 'none' ? 'good' : 'neutral'}>{t(`pages.sql.ask.shown.${rows}`)}</Badge>
      <span className="muted">
        {platform}: {model} · {t(`pages.sql.ask.retention.${retention}`)}
      </span>
    </div>
  );
}
