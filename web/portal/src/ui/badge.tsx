import type { ReactNode } from 'react';

export type Tone = 'neutral' | 'good' | 'bad' | 'warn' | 'brand';

/** A word about the state of something. */
export function Badge(props: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  const { tone = 'neutral' } = props;
  return <span className={tone === 'neutral' ? 'badge' : `badge ${tone}`}>{props.children}</span>;
}

/** A number that matters, with what it counts; within `<dl className="figures">`. */
export function Figure(props: {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}): ReactNode {
  return (
    <div>
      <dt className="muted">{props.label}</dt>
      <dd className="figure">{props.value}</dd>
      {props.note !== undefined && <dd className="muted">{props.note}</dd>}
    </div>
  );
}
