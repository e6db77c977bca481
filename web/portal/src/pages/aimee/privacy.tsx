import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Card } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { DeleteSite } from './delete-site.tsx';
import { Export } from './export.tsx';
import { Purge } from './purge.tsx';
import { Retention } from './retention.tsx';
import { useSnippet } from './snippet-data.ts';

/** How long conversations stay, how they go, and what to tell visitors about it. */
export function SitePrivacy({ site }: { readonly site: AimeeSite }): ReactNode {
  return (
    <>
      <div className="grid wide">
        <Retention key={String(site.retentionDays)} site={site} />
        <Export site={site} />
      </div>
      <Purge site={site} />
      <Policy site={site} />
      <DeleteSite site={site} />
    </>
  );
}

function Policy({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.aimee.policy.title')}>
      <p className="muted narrow">{t('pages.aimee.policy.text')}</p>
      <Loaded query={useSnippet(site.id)}>
        {({ policy }) => (
          <div className="wrapped">
            <CodeBlock label={t('pages.aimee.policy.label')} text={policy} />
          </div>
        )}
      </Loaded>
    </Card>
  );
}
