import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Badge } from '../../ui/badge.tsx';
import type { Part } from './conversation.ts';

/** What the model called, with what, and what came back: closed, so that the answer stays in sight. */
export function ToolStep({ part }: { readonly part: Exclude<Part, { is: 'text' }> }): ReactNode {
  switch (part.is) {
    case 'call':
      return <CallStep part={part} />;
    case 'refused':
      return <RefusedStep part={part} />;
    case 'withheld':
      return <WithheldStep part={part} />;
  }
}

function CallStep({ part: { call, result } }: { readonly part: Part & { readonly is: 'call' } }): ReactNode {
  const { t } = useTranslation();
  return (
    <details className="tool-step">
      <summary>
        <span>{t('pages.ask.called', { name: call.function })}</span>{' '}
        {call.source !== undefined && (
          <Badge tone="warn">{t('pages.ask.wentOutside', { source: call.source })}</Badge>
        )}{' '}
        <Badge tone={result === undefined ? 'neutral' : result.ok ? 'good' : 'bad'}>
          {result === undefined
            ? t('pages.ask.calling')
            : t(result.ok ? 'pages.ask.callGood' : 'pages.ask.callBad', { status: result.status ?? '' })}
        </Badge>
      </summary>
      <h3>{t('pages.ask.arguments')}</h3>
      <pre className="log" tabIndex={0}>
        {JSON.stringify(call.arguments, null, 2)}
      </pre>
      {result && (
        <>
          <h3>{t('pages.ask.result')}</h3>
          <pre className="log" tabIndex={0}>
            {result.result}
          </pre>
        </>
      )}
    </details>
  );
}

function RefusedStep({ part: { refused } }: { readonly part: Part & { readonly is: 'refused' } }): ReactNode {
  const { t } = useTranslation();
  return (
    <details className="tool-step">
      <summary>
        <span>{t('pages.ask.called', { name: refused.function })}</span>{' '}
        <Badge tone="warn">{t('pages.ask.refused')}</Badge>
      </summary>
      <p>{refused.reason}</p>
    </details>
  );
}

function WithheldStep({
  part: { withheld },
}: {
  readonly part: Part & { readonly is: 'withheld' };
}): ReactNode {
  const { t } = useTranslation();
  return (
    <details className="tool-step">
      <summary>{t('pages.ask.withheld', { count: withheld.tools.length })}</summary>
      <ul>
        {withheld.tools.map(({ source, tool, reason }) => (
          <li key={`${source} ${tool}`}>
            <code>
              {source}: {tool}
            </code>{' '}
            {t(`pages.ask.withheldWhy.${reason}`)}
          </li>
        ))}
      </ul>
    </details>
  );
}
