import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Version } from '../../../../../contract/compatible.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Tabs } from '../../ui/tabs.tsx';

const NAMES: Readonly<Record<string, string>> = { curl: 'curl', node: 'Node', python: 'Python', go: 'Go' };

/** Calls that run as they stand, once JELLYFAAS_TOKEN holds a token. */
export function Samples({ samples }: { readonly samples: Version['languageSamples'] }): ReactNode {
  const { t } = useTranslation();
  const [language, setLanguage] = useState('curl');
  return (
    <>
      <p className="muted">{t('pages.library.samples.token')}</p>
      <CodeBlock
        label={t('pages.library.samples.getToken')}
        text={`export JELLYFAAS_TOKEN=$(curl -s ${location.origin}/auth-service/v1/validate -H 'x-jf-apikey: sk_…' | jq -r .token)`}
      />
      <Tabs
        label={t('pages.library.samples.languages')}
        selected={language}
        onSelect={setLanguage}
        tabs={samples.map((sample) => ({
          id: sample.language,
          name: NAMES[sample.language] ?? sample.language,
          content: <CodeBlock label={NAMES[sample.language] ?? sample.language} text={sample.sdkCode} />,
        }))}
      />
    </>
  );
}
