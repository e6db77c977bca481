import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { LinkButton } from '../../ui/button.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { BadBuilds } from '../library/bad-builds.tsx';
import { useBadBuilds, useFunctions } from '../library/functions.ts';
import { CallCharts } from './call-charts.tsx';
import { Deployed } from './deployed.tsx';
import { FirstSteps } from './first-steps.tsx';
import { QuickStart } from './quick-start.tsx';
import './home.css';
import '../library/library.css';

/** What runs, how it went, and how to begin. */
export function Home(): ReactNode {
  const { t } = useTranslation();
  const functions = useFunctions();
  const badBuilds = useBadBuilds();
  return (
    <Page
      title={t('pages.home.title')}
      lead={t('pages.home.lead')}
      actions={
        <LinkButton kind="primary" href="/library/deploy">
          <Icon name="upload" />
          {t('pages.library.deploy.action')}
        </LinkButton>
      }
    >
      <Loaded query={functions}>
        {(all) => {
          const mine = all.filter((fn) => fn.mine);
          const newest = mine.toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt))[0];
          return (
            <>
              {newest === undefined && <FirstSteps />}
              {all.length > 0 && <CallCharts />}
              {badBuilds.data && <BadBuilds builds={badBuilds.data} />}
              {newest && (
                <>
                  <Deployed functions={mine} />
                  <QuickStart shortname={newest.shortname} />
                </>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
