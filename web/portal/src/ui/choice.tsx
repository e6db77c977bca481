import type { ReactNode } from 'react';
import {
  Checkbox as AriaCheckbox,
  type CheckboxProps,
  Radio,
  RadioGroup,
  ToggleButton,
  ToggleButtonGroup,
} from 'react-aria-components';
import { Icon } from './icon.tsx';

export function Checkbox({
  children,
  ...props
}: Omit<CheckboxProps, 'className' | 'children'> & { readonly children: ReactNode }): ReactNode {
  return (
    <AriaCheckbox {...props} className="checkbox">
      {({ isSelected }) => (
        <>
          <span className="box" aria-hidden="true">
            {isSelected && <Icon name="check" size={16} />}
          </span>
          <span>{children}</span>
        </>
      )}
    </AriaCheckbox>
  );
}

export interface Option<T extends string> {
  readonly id: T;
  readonly name: string;
}

/** One of a few that stand side by side; exactly one is chosen. */
export function Segments<T extends string>(props: {
  readonly label: string;
  readonly options: readonly Option<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}): ReactNode {
  return (
    <RadioGroup
      className="segments"
      aria-label={props.label}
      orientation="horizontal"
      value={props.value}
      onChange={(value) => props.onChange(value as T)}
    >
      {props.options.map(({ id, name }) => (
        <Radio key={id} value={id} className="segment">
          {name}
        </Radio>
      ))}
    </RadioGroup>
  );
}

/** Any number of many, shown as what they are called. */
export function Chips<T extends string>(props: {
  readonly label: string;
  readonly options: readonly Option<T>[];
  readonly value: ReadonlySet<T>;
  readonly onChange: (value: ReadonlySet<T>) => void;
}): ReactNode {
  return (
    <ToggleButtonGroup
      className="chips"
      aria-label={props.label}
      selectionMode="multiple"
      selectedKeys={props.value}
      onSelectionChange={(keys) => props.onChange(new Set([...keys].map((key) => String(key) as T)))}
    >
      {props.options.map(({ id, name }) => (
        <ToggleButton key={id} id={id} className="chip">
          {name}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
