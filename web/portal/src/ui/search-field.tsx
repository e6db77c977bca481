import type { ReactNode } from 'react';
import { SearchField as AriaSearchField, Input, Label } from 'react-aria-components';
import { Icon } from './icon.tsx';

/** Escape empties it. What is typed stays on the page. */
export function SearchField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
}): ReactNode {
  return (
    <AriaSearchField className="field search" value={props.value} onChange={props.onChange}>
      <Label className="visually-hidden">{props.label}</Label>
      <Icon name="search" size={18} />
      <Input placeholder={props.placeholder ?? props.label} autoComplete="off" spellCheck="false" />
    </AriaSearchField>
  );
}
