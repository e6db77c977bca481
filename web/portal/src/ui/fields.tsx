import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  Select as AriaSelect,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  Text,
  TextArea,
} from 'react-aria-components';

interface Described {
  readonly label: string;
  readonly hint?: string | undefined;
}

export interface TextFieldProps extends Omit<AriaTextFieldProps, 'className' | 'children'>, Described {
  /** Several lines. */
  readonly isLong?: boolean;
  readonly placeholder?: string;
  readonly rows?: number;
  /** What is wrong with the value, if the page found something. */
  readonly fault?: string | undefined;
}

/** Label above, hint below, fault below that; drafts are not kept by the browser. */
export function TextField(all: TextFieldProps): ReactNode {
  const { label, hint, isLong, placeholder, rows, fault, ...props } = all;
  return (
    <AriaTextField
      autoComplete="off"
      {...props}
      {...(fault !== undefined && { isInvalid: true })}
      className="field"
    >
      <Label>{label}</Label>
      {isLong ? (
        <TextArea rows={rows ?? 4} placeholder={placeholder ?? ''} />
      ) : (
        <Input placeholder={placeholder ?? ''} />
      )}
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="fault">{fault}</FieldError>
    </AriaTextField>
  );
}

export interface SelectProps<T extends string> extends Described {
  readonly options: readonly { readonly id: T; readonly name: string }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly isDisabled?: boolean;
}

export function Select<T extends string>(props: SelectProps<T>): ReactNode {
  const { label, hint, options, value, onChange, isDisabled = false } = props;
  return (
    <AriaSelect
      className="field"
      value={value}
      onChange={(key) => onChange(String(key) as T)}
      isDisabled={isDisabled}
    >
      <Label className="label">{label}</Label>
      <AriaButton className="select-button">
        <SelectValue />
      </AriaButton>
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <Popover className="popover">
        <ListBox>
          {options.map(({ id, name }) => (
            <ListBoxItem key={id} id={id} className="option" textValue={name}>
              {name}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
