import { type ReactNode, useEffect } from 'react';

/** Title, what the page is for, what one can do on it; the document's title follows. */
export function Page(props: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${props.title} · JellyFaaS`;
  }, [props.title]);
  return (
    <>
      <header className="page-head">
        <div className="stack">
          <h1>{props.title}</h1>
          {props.lead !== undefined && <p className="lead">{props.lead}</p>}
        </div>
        {props.actions !== undefined && <div className="row">{props.actions}</div>}
      </header>
      {props.children}
    </>
  );
}

export function Card(props: {
  readonly title?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <section className="card">
      {props.title !== undefined && (
        <div className="page-head">
          <h2>{props.title}</h2>
          {props.actions}
        </div>
      )}
      {props.children}
    </section>
  );
}
