import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../../../ui/icon.tsx';
import type { BuildStatus } from './use-deploy.ts';

const STEPS = ['QUEUED', 'BUILDING', 'STARTING', 'DEPLOYED'] as const;

/** Where a build stands; the present step is the one that assistive technology is told about. */
export function BuildSteps({ status }: { readonly status: BuildStatus }): ReactNode {
  const { t } = useTranslation();
  const isDone = status === 'DEPLOYED';
  const at = status === 'FAILED' ? -1 : STEPS.indexOf(status);
  return (
    <>
      <p className="visually-hidden" role="status">
        {t(`pages.library.deploy.states.${status}`)}
      </p>
      {status === 'FAILED' ? (
        <p className="badge bad build-failed">
          <Icon name="alert" size={16} />
          {t('pages.library.deploy.states.FAILED')}
        </p>
      ) : (
        <ol className="build-steps">
          {STEPS.map((step, index) => (
            <li
              key={step}
              data-state={index < at || isDone ? 'done' : index === at ? 'now' : 'next'}
              aria-current={index === at ? 'step' : undefined}
            >
              {(index < at || isDone) && <Icon name="check" size={16} />}
              {t(`pages.library.deploy.states.${step}`)}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
