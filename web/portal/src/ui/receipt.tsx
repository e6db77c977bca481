import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from './code-block.tsx';

/** The proof of a deletion, to keep: what it says, and the signed form that it can be checked by. */
export function Receipt({ receipt }: { readonly receipt: string }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <dl className="facts">
        {Object.entries(claimsOf(receipt)).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
      <CodeBlock label={t('receipt.signed')} text={receipt} />
      <p className="muted">
        {t('receipt.check')} <code>/.well-known/jellyfaas-receipts</code>
      </p>
    </div>
  );
}

/** What the signed middle part says; the server that sent it has signed it, so it is shown as it is. */
function claimsOf(receipt: string): Record<string, unknown> {
  const [, payload = ''] = receipt.split('.');
  try {
    const base64 = payload.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
