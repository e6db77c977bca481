import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

/** Text to copy; the button says when it was. */
export function CodeBlock({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <div className="stack">
      <div className="code" role="region" aria-label={label} tabIndex={0}>
        <pre>
          <code>{text}</code>
        </pre>
      </div>
      <div className="row">
        <Button kind="quiet" onPress={() => void copy()} aria-label={`${t('code.copy')}: ${label}`}>
          <Icon name={isCopied ? 'check' : 'copy'} />
          {t(isCopied ? 'code.copied' : 'code.copy')}
        </Button>
      </div>
    </div>
  );
}
