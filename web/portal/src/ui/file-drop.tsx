import type { ReactNode } from 'react';
import { DropZone, FileTrigger, Text } from 'react-aria-components';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

/** Files by drag and drop, by paste, or by the button, which is all a keyboard needs. */
export function FileDrop(props: {
  /** What to drop here. */
  readonly label: string;
  readonly hint?: string;
  readonly action: string;
  /** Endings with their dots, or media types, which the dialog of the system shows. */
  readonly accept?: readonly string[];
  readonly allowsMultiple?: boolean;
  readonly isDisabled?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}): ReactNode {
  const { isDisabled = false, allowsMultiple = false } = props;
  const take = (files: readonly File[]): void => {
    if (files.length > 0) props.onFiles(allowsMultiple ? files : files.slice(0, 1));
  };
  return (
    <DropZone
      className="drop-zone"
      isDisabled={isDisabled}
      onDrop={({ items }) => {
        const files = items.filter((item) => item.kind === 'file');
        void Promise.all(files.map((item) => item.getFile())).then(take);
      }}
    >
      <Icon name="upload" size={32} />
      <Text slot="label">{props.label}</Text>
      <FileTrigger
        allowsMultiple={allowsMultiple}
        {...(props.accept && { acceptedFileTypes: props.accept })}
        onSelect={(files) => take([...(files ?? [])])}
      >
        <Button isDisabled={isDisabled}>{props.action}</Button>
      </FileTrigger>
      {props.hint !== undefined && <p className="muted">{props.hint}</p>}
    </DropZone>
  );
}
