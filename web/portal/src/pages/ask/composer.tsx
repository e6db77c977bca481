import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/fields.tsx';

/** Enter asks, Shift and Enter begins a line. */
export function Composer(props: {
  readonly isRunning: boolean;
  readonly isDisabled: boolean;
  readonly onAsk: (question: string) => void;
  readonly onStop: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const [question, setQuestion] = useState('');
  const isReady = !props.isRunning && !props.isDisabled && question.trim() !== '';
  const ask = (): void => {
    if (!isReady) return;
    props.onAsk(question.trim());
    setQuestion('');
  };
  return (
    <Form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <TextField
        label={t('pages.ask.question')}
        hint={t('pages.ask.enter')}
        isLong
        rows={3}
        value={question}
        onChange={setQuestion}
        onKeyDown={(event) => {
          // While an input method composes, Enter ends its word.
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          ask();
        }}
      />
      <div className="row">
        {props.isRunning ? (
          <Button onPress={props.onStop}>{t('pages.ask.stop')}</Button>
        ) : (
          <Button type="submit" kind="primary" isDisabled={!isReady}>
            {t('pages.ask.ask')}
          </Button>
        )}
      </div>
    </Form>
  );
}
