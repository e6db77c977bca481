import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Receipt } from './receipt.tsx';
import { saveFile } from './save-file.ts';

export interface Deletion {
  /** What is gone, in a sentence. */
  readonly done: string;
  readonly receipt: string;
}

/** What remains of something that was destroyed: its receipt, to read and to keep. */
export function ReceiptDialog(props: {
  readonly deletion: Deletion | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { deletion, onClose } = props;
  if (deletion === undefined) return undefined;
  const { done, receipt } = deletion;
  return (
    <Dialog title={t('receipt.title')} isOpen onClose={onClose}>
      <p role="status">{done}</p>
      <p className="muted">{t('receipt.keep')}</p>
      <Receipt receipt={receipt} />
      <div className="row">
        <Button kind="primary" onPress={() => saveFile('receipt.jws', new Blob([receipt]))}>
          {t('receipt.save')}
        </Button>
        <Button onPress={onClose}>{t('receipt.close')}</Button>
      </div>
    </Dialog>
  );
}
