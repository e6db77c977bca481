import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

/** Text to copy; the button says when it was. `label` is what it is called, `caption` what stands above if that says less. */
export function CodeBlock({
  text,
  label,
  caption = label,
}: {
  readonly text: string;
  readonly label: string;
  readonly caption?: string;
}): ReactNode {
  const { t } = useTranslation();
  const [copied, setCopied] = useState<string>();
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(text);
  };
  const name = t(copied === text ? 'code.copied' : 'code.copy');
  return (
    <div className="code">
      <div className="code-head">
        <span>{caption}</span>
        <Button kind="quiet" onPress={() => void copy()} aria-label={`${name}: ${label}`}>
          <Icon name={copied === text ? 'check' : 'copy'} size={16} />
          {name}
        </Button>
      </div>
      <pre role="region" aria-label={label} tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}
