import { type ReactNode, useState } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api.ts';
import { ConfirmPerson } from '../shell/unlock.tsx';
import { Button } from './button.tsx';
import { TextField } from './fields.tsx';
import { Fault } from './states.tsx';

/** A modal that holds the focus and gives it back; Escape closes it, unless it `mustAnswer`. */
export function Dialog(props: {
  readonly title: string;
  readonly isOpen: boolean;
  readonly mustAnswer?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={props.isOpen}
      isDismissable={props.mustAnswer !== true}
      isKeyboardDismissDisabled={props.mustAnswer === true}
      onOpenChange={(isOpen) => {
        if (!isOpen) props.onClose();
      }}
    >
      <Modal className="dialog">
        <AriaDialog>
          <Heading slot="title" level={2}>
            {props.title}
          </Heading>
          <div className="stack">{props.children}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/**
 * Asks before something that cannot be taken back: names it, wants its name typed when `typed` is given, asks for a fresh
 * sign-in when the server wants one, and then tries again.
 */
export function Confirm(props: {
  readonly title: string;
  readonly action: string;
  /** `primary` for what destroys nothing. */
  readonly kind?: 'danger' | 'primary';
  readonly isDisabled?: boolean;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => Promise<unknown>;
  readonly typed?: string;
  readonly children: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<Error>();
  const [isPending, setPending] = useState(false);
  const run = async (): Promise<void> => {
    setPending(true);
    setError(undefined);
    try {
      await props.onConfirm();
      setTyped('');
      props.onClose();
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      setPending(false);
    }
  };
  if (error instanceof ApiError && error.code === 'auth.fresh_sign_in_required') {
    return (
      <Dialog title={props.title} isOpen={props.isOpen} onClose={props.onClose}>
        <ConfirmPerson onDone={() => void run()} onCancel={props.onClose} />
      </Dialog>
    );
  }
  const fits = props.typed === undefined || props.typed === typed;
  return (
    <Dialog title={props.title} isOpen={props.isOpen} onClose={props.onClose}>
      {props.children}
      {error && <Fault error={error} />}
      {props.typed !== undefined && (
        <TextField label={t('confirm.type', { name: props.typed })} value={typed} onChange={setTyped} />
      )}
      <div className="row">
        <Button
          kind={props.kind ?? 'danger'}
          isDisabled={!fits || props.isDisabled === true}
          isPending={isPending}
          onPress={() => void run()}
        >
          {props.action}
        </Button>
        <Button onPress={props.onClose}>{t('confirm.cancel')}</Button>
      </div>
    </Dialog>
  );
}
