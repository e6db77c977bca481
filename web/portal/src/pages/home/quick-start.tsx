import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Card } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { exampleInput } from '../library/example-input.ts';
import { useFunction } from '../library/functions.ts';
import { QUICK_START_WAYS, type QuickStartWay, quickStartSample } from './quick-start-samples.ts';

/** How programs call one of the account's functions, with everything filled in but the key. */
export function QuickStart({ shortname }: { readonly shortname: string }): ReactNode {
  const { t } = useTranslation();
  const [way, setWay] = useState<QuickStartWay>('curl');
  const query = useFunction(shortname);
  return (
    <Card title={t('pages.home.quickStart.title')}>
      <p className="muted">
        {t('pages.home.quickStart.lead', { shortname })}{' '}
        <Link to="/keys">{t('pages.home.quickStart.keys')}</Link>
      </p>
      <Loaded query={query}>
        {({ documents: [newest] }) => {
          if (newest === undefined) return null;
          const { requirements } = newest;
          const start = {
            url: location.origin,
            shortname,
            method: requirements.requestType,
            input: exampleInput(requirements),
          };
          return (
            <Tabs
              label={t('pages.home.quickStart.ways')}
              selected={way}
              onSelect={setWay}
              tabs={QUICK_START_WAYS.map((id) => ({
                id,
                name: t(`pages.home.quickStart.${id}`),
                content: (
                  <CodeBlock text={quickStartSample(id, start)} label={t(`pages.home.quickStart.${id}`)} />
                ),
              }))}
            />
          );
        }}
      </Loaded>
    </Card>
  );
}
