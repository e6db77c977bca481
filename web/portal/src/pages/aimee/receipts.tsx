import { type ReactNode, createContext, useContext, useState } from 'react';
import { type Deletion, ReceiptDialog } from '../../ui/receipt-dialog.tsx';

const ShowReceipt = createContext<(deletion: Deletion) => void>(() => undefined);

/** Shows the receipt of a deletion, also when what it was deleted from is no longer on the page. */
export function useShowReceipt(): (deletion: Deletion) => void {
  return useContext(ShowReceipt);
}

export function Receipts({ children }: { readonly children: ReactNode }): ReactNode {
  const [deletion, setDeletion] = useState<Deletion>();
  return (
    <ShowReceipt value={setDeletion}>
      {children}
      <ReceiptDialog deletion={deletion} onClose={() => setDeletion(undefined)} />
    </ShowReceipt>
  );
}
