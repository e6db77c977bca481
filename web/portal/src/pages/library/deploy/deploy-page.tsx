import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, LinkButton } from '../../../ui/button.tsx';
import { CodeBlock } from '../../../ui/code-block.tsx';
import { FileDrop } from '../../../ui/file-drop.tsx';
import { LiveLog } from '../../../ui/live-log.tsx';
import { Card, Page } from '../../../ui/page.tsx';
import { Progress } from '../../../ui/progress.tsx';
import { Fault } from '../../../ui/states.tsx';
import { BuildFailure } from '../bad-builds.tsx';
import { functionPath } from '../functions.ts';
import { BackToLibrary } from '../back-to-library.tsx';
import { BuildSteps } from './build-steps.tsx';
import { type Build, type Deploy, useDeploy } from './use-deploy.ts';
import '../library.css';

/** A zip becomes a function, or its next version, and one sees how. */
export function DeployPage(): ReactNode {
  const { t } = useTranslation();
  const { deploy, begin, reset } = useDeploy();
  const { step } = deploy;
  const area = useRef<HTMLDivElement>(null);
  const last = useRef(step);
  // What had the focus is gone: whoever is at the keyboard goes on with what came instead.
  useEffect(() => {
    if (last.current !== step && step !== 'building') area.current?.focus();
    last.current = step;
  }, [step]);
  return (
    <>
      <BackToLibrary />
      <Page title={t('pages.library.deploy.title')} lead={t('pages.library.deploy.lead')}>
        <div ref={area} tabIndex={-1} className="deploy">
          {deploy.step === 'refused' && <Fault error={deploy.error} />}
          {deploy.step === 'uploading' && (
            <Card>
              <Progress label={t('pages.library.deploy.uploading', { name: deploy.fileName })} />
            </Card>
          )}
          {deploy.step === 'building' && <Building deploy={deploy} onAgain={reset} />}
          {(deploy.step === 'none' || deploy.step === 'refused') && (
            <>
              <FileDrop
                label={t('pages.library.deploy.drop')}
                action={t('pages.library.deploy.choose')}
                hint={t('pages.library.deploy.hint')}
                accept={['.zip', 'application/zip']}
                onFiles={([file]) => file && begin(file)}
              />
              <Card title={t('pages.library.deploy.makeTitle')}>
                <p className="muted">{t('pages.library.deploy.make')}</p>
                <CodeBlock
                  label={t('pages.home.quickStart.cli')}
                  text={'npx jellyfaas create -n my-greeter -l node -d .\nnpx jellyfaas zip -s my-greeter'}
                />
              </Card>
            </>
          )}
        </div>
      </Page>
    </>
  );
}

function Building({
  deploy: { started, builds, lost },
  onAgain,
}: {
  readonly deploy: Deploy & { readonly step: 'building' };
  readonly onAgain: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const all = Object.values(builds);
  const isDone = all.every(({ status }) => status === 'DEPLOYED');
  const isFailed = all.some(({ status }) => status === 'FAILED');
  const version = started.deployingVersion ?? 1;
  const path = functionPath(started.function_id);
  return (
    <>
      <Card title={t('pages.library.deploy.building', { shortname: started.function_id, version })}>
        <p className="muted">{started.runtimeDetail}</p>
        {Object.entries(builds).map(([opid, build]) => (
          <BuildProgress key={opid} build={build} isOnly={all.length === 1} />
        ))}
        {lost && <Fault error={lost} />}
      </Card>
      <div role="status">
        {isDone && (
          <div className="notice good">
            <p>{t('pages.library.deploy.done', { shortname: started.function_id, version })}</p>
          </div>
        )}
        {isFailed && (
          <div className="notice bad">
            <p>{t(started.new ? 'pages.library.deploy.failedNew' : 'pages.library.deploy.failed')}</p>
          </div>
        )}
      </div>
      <div className="row">
        {isDone && (
          <>
            <LinkButton kind="primary" href={`${path}?tab=try`}>
              {t('pages.library.deploy.try')}
            </LinkButton>
            <LinkButton href={path}>{t('pages.library.deploy.open')}</LinkButton>
          </>
        )}
        {(isDone || isFailed || lost) && (
          <Button onPress={onAgain}>{t('pages.library.deploy.another')}</Button>
        )}
      </div>
    </>
  );
}

function BuildProgress({ build, isOnly }: { readonly build: Build; readonly isOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const { size, status, lines, errorDetails } = build;
  return (
    <section className="stack">
      {!isOnly && <h3>{t('pages.library.deploy.size', { size })}</h3>}
      <BuildSteps status={status} />
      {lines.length > 0 && (
        <LiveLog label={t('pages.library.deploy.output')} lines={lines.map((text) => ({ text }))} />
      )}
      {errorDetails !== undefined && (
        <BuildFailure label={t('pages.library.deploy.output')} details={errorDetails} />
      )}
    </section>
  );
}
