import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RightKind } from '../../../../../contract/rights.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';

const REASON_LENGTH_MIN = 5;
const REASON_LENGTH_MAX = 500;

export interface Decided {
  readonly end: 'completion' | 'extension' | 'refusal';
  /** Of extensions and refusals. */
  readonly reason?: string;
}

/** Carry out, take more time, or refuse; the last two with a reason that the person reads. */
export function Decide(props: {
  readonly kind: RightKind;
  readonly canComplete: boolean;
  readonly canExtend: boolean;
  readonly onDecide: (decided: Decided) => Promise<void>;
}): ReactNode {
  const { t } = useTranslation();
  const [end, setEnd] = useState<Decided['end']>();
  const [reason, setReason] = useState('');
  const { kind, canComplete, canExtend, onDecide } = props;
  const needsReason = end !== 'completion';
  const isGiven = reason.trim().length >= REASON_LENGTH_MIN;
  return (
    <span className="row">
      {canComplete && (
        <Button kind="primary" onPress={() => setEnd('completion')}>
          {t('pages.rights.decide.completion.open')}
        </Button>
      )}
      {canExtend && (
        <Button onPress={() => setEnd('extension')}>{t('pages.rights.decide.extension.open')}</Button>
      )}
      <Button onPress={() => setEnd('refusal')}>{t('pages.rights.decide.refusal.open')}</Button>
      {end !== undefined && (
        <Confirm
          title={t(`pages.rights.decide.${end}.title`)}
          action={t(`pages.rights.decide.${end}.open`)}
          kind={end === 'completion' && kind === 'erasure' ? 'danger' : 'primary'}
          isDisabled={needsReason && !isGiven}
          isOpen
          onClose={() => setEnd(undefined)}
          onConfirm={async () => {
            await onDecide(needsReason ? { end, reason: reason.trim() } : { end });
            setReason('');
          }}
        >
          <p>{t(`pages.rights.decide.${end}.text`)}</p>
          {needsReason && (
            <TextField
              label={t('pages.rights.decide.reason')}
              value={reason}
              onChange={setReason}
              maxLength={REASON_LENGTH_MAX}
              isLong
              isRequired
            />
          )}
        </Confirm>
      )}
    </span>
  );
}
