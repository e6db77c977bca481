import { type ReactNode, createContext, useContext, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Receipt } from '../../ui/receipt.tsx';

interface Deletion {
  /** What is gone, in a sentence. */
  readonly done: string;
  readonly receipt: string;
}

const ShowReceipt = createContext<(deletion: Deletion) => void>(() => undefined);

/** Shows the receipt of a deletion, also when what it was deleted from is no longer on the page. */
export function useShowReceipt(): (deletion: Deletion) => void {
  return useContext(ShowReceipt);
}

export function Receipts({ children }: { readonly children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const [deletion, setDeletion] = useState<Deletion>();
  const close = (): void => setDeletion(undefined);
  return (
    <ShowReceipt value={setDeletion}>
      {children}
      <Dialog title={t('pages.aimee.receipt.title')} isOpen={deletion !== undefined} onClose={close}>
        <p role="status">{deletion?.done}</p>
        <p className="muted">{t('pages.aimee.receipt.keep')}</p>
        {deletion && <Receipt receipt={deletion.receipt} />}
        <div className="row">
          <Button kind="primary" onPress={close}>
            {t('pages.aimee.receipt.close')}
          </Button>
        </div>
      </Dialog>
    </ShowReceipt>
  );
}
