import { type ReactNode, useEffect, useRef } from 'react';

export interface LogLine {
  readonly text: string;
  readonly isError?: boolean;
}

/** Lines as they come; the newest stays in sight. Screen readers read it when they are told to, not by themselves. */
export function LiveLog({
  label,
  lines,
}: {
  readonly label: string;
  readonly lines: readonly LogLine[];
}): ReactNode {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  return (
    <pre ref={box} className="log" role="log" aria-live="off" aria-label={label} tabIndex={0}>
      {lines.map(({ text, isError }, at) => (
        <span key={at} className={isError ? 'error' : undefined}>
          {text}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
