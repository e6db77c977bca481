import type { ReactNode } from 'react';
import { Label, ProgressBar } from 'react-aria-components';

/** `value` of 0 to 1; undefined: at work, end unknown. */
export function Progress({
  label,
  value,
}: {
  readonly label: string;
  readonly value?: number | undefined;
}): ReactNode {
  return (
    <ProgressBar className="progress" isIndeterminate={value === undefined} value={(value ?? 0) * 100}>
      {({ percentage, valueText }) => (
        <>
          <div className="row">
            <Label>{label}</Label>
            <span className="muted">{value === undefined ? '' : valueText}</span>
          </div>
          <div className="track">
            <div className="fill" style={{ inlineSize: `${percentage ?? 30}%` }} />
          </div>
        </>
      )}
    </ProgressBar>
  );
}
