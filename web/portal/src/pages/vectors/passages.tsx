import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { VectorHits } from '../../../../../contract/vectors.ts';

type Hit = VectorHits['hits'][number];
type Span = NonNullable<Hit['span']>;

/** What the owner keeps beside passages, as he wrote it. */
export function Metadata({ metadata }: { readonly metadata: Hit['metadata'] }): ReactNode {
  const fields = Object.entries(metadata).filter(([name]) => name !== 'title' && !name.startsWith('$'));
  if (fields.length === 0) return undefined;
  return (
    <ul className="metadata">
      {fields.map(([name, value]) => (
        <li key={name}>
          <code>
            {name} = {JSON.stringify(value)}
          </code>
        </li>
      ))}
    </ul>
  );
}

/** Where a passage stands: page, headings, offsets. */
export function Place({ span }: { readonly span: Span }): ReactNode {
  const { t } = useTranslation();
  const { page, headings, start, end } = span;
  return (
    <p className="muted place">
      {headings.length > 0 && <span>{headings.join(' › ')}</span>}
      {page !== null && <span>{t('pages.vectors.place.page', { page })}</span>}
      <span>{t('pages.vectors.place.offsets', { start, end })}</span>
    </p>
  );
}

/** Passages of strict databases whose text is another one today are left out, and that is said. */
export function Changed({ changed }: { readonly changed: readonly Span[] }): ReactNode {
  const { t } = useTranslation();
  if (changed.length === 0) return undefined;
  return <p className="notice warn">{t('pages.vectors.changed', { count: changed.length })}</p>;
}
