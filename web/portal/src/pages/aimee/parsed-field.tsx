import { type ReactNode, useState } from 'react';
import { TextField, type TextFieldProps } from '../../ui/fields.tsx';

interface ParsedFieldProps<T> extends Omit<TextFieldProps, 'value' | 'onChange'> {
  readonly value: T;
  readonly format: (value: T) => string;
  /** Undefined: not a value yet. */
  readonly parse: (text: string) => T | undefined;
  readonly onChange: (value: T) => void;
}

/** A field whose value is not its text: what is typed stays as it is, and the value follows whenever it is one. */
function ParsedField<T>({ value, format, parse, onChange, ...field }: ParsedFieldProps<T>): ReactNode {
  const [text, setText] = useState(() => format(value));
  return (
    <TextField
      {...field}
      value={text}
      isInvalid={parse(text) === undefined}
      onChange={(typed) => {
        setText(typed);
        const parsed = parse(typed);
        if (parsed !== undefined) onChange(parsed);
      }}
    />
  );
}

type Own<T> = Omit<ParsedFieldProps<T>, 'format' | 'parse'>;

/** One item per line; empty lines do not count. */
export function LinesField(props: Own<string[]>): ReactNode {
  return <ParsedField {...props} isLong format={(lines) => lines.join('\n')} parse={linesOf} />;
}

export function NumberField(props: Own<number>): ReactNode {
  return (
    <ParsedField
      {...props}
      type="number"
      format={String}
      parse={(text) => (/^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined)}
    />
  );
}

/** `#rrggbb` in lower case. */
export function ColorField(props: Own<string>): ReactNode {
  return (
    <ParsedField
      {...props}
      format={String}
      parse={(text) => (/^#[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : undefined)}
    />
  );
}

export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
