import type { ReactNode } from 'react';
import ReactMarkdown from 'react-markdown';
import remarkGfm from 'remark-gfm';

interface Part {
  readonly children?: ReactNode;
}

/**
 * What models and authors wrote is hostile: no images, no raw HTML, and links show where they lead. Their headings lie
 * below those of the page, and what scrolls sideways can be reached by keyboard.
 */
const COMPONENTS = {
  img: () => null,
  a: ({ href, children }: Part & { readonly href?: string | undefined }) => (
    <span>
      {children}
      {href !== undefined && /^https?:/.test(href) && href !== children && (
        <span className="muted"> ({href})</span>
      )}
    </span>
  ),
  h1: ({ children }: Part) => <h3>{children}</h3>,
  h2: ({ children }: Part) => <h4>{children}</h4>,
  h3: ({ children }: Part) => <h5>{children}</h5>,
  h4: ({ children }: Part) => <h6>{children}</h6>,
  h5: ({ children }: Part) => <h6>{children}</h6>,
  pre: ({ children }: Part) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }: Part) => (
    <div className="table-wrap" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  // Alignment would be a style attribute.
  th: ({ children }: Part) => <th scope="col">{children}</th>,
  td: ({ children }: Part) => <td>{children}</td>,
  // Boxes of task lists, which nobody can tick.
  input: ({ checked }: { readonly checked?: boolean | undefined }) => <>{checked === true ? '☑' : '☐'}</>,
};

export function Markdown({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="prose">
      <ReactMarkdown skipHtml remarkPlugins={[remarkGfm]} components={COMPONENTS}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
