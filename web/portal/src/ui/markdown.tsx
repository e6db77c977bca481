import type { ReactNode } from 'react';
import ReactMarkdown from 'react-markdown';

/** What models and authors wrote is hostile: no images, no raw HTML, and links show where they lead. */
const COMPONENTS = {
  img: () => null,
  a: ({ href, children }: { href?: string | undefined; children?: ReactNode }) => (
    <span>
      {children}
      {href !== undefined && /^https?:/.test(href) && <span className="muted"> ({href})</span>}
    </span>
  ),
};

export function Markdown({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="prose">
      <ReactMarkdown skipHtml components={COMPONENTS}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
