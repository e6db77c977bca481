import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { PrivacyStatement } from '../../../../../contract/privacy.ts';
import { Badge, Figure } from '../../ui/badge.tsx';
import { Card } from '../../ui/page.tsx';

type StatedFacts = PrivacyStatement['facts'];

/** What is in force here, at a glance. */
export function Facts({ facts }: { readonly facts: StatedFacts }): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.privacy.facts.title')}>
      <dl className="figures stated">
        <Figure
          label={t('pages.privacy.facts.calls')}
          value={t('pages.privacy.facts.days', { count: facts.callRetentionDays })}
          note={t('pages.privacy.facts.callsNote')}
        />
        <Figure
          label={t('pages.privacy.facts.token')}
          value={t('pages.privacy.facts.hours', { count: facts.tokenHours })}
          note={t('pages.privacy.facts.tokenNote')}
        />
        <Figure
          label={t('pages.privacy.facts.session')}
          value={t('pages.privacy.facts.hours', { count: facts.sessionHours })}
          note={t('pages.privacy.facts.sessionNote')}
        />
        <Figure
          label={t('pages.privacy.facts.sandbox')}
          value={t(`pages.privacy.facts.sandboxes.${facts.sandbox}`)}
          note={t(`pages.privacy.facts.sandboxNotes.${facts.sandbox}`)}
        />
      </dl>
      <dl className="facts">
        <Controller controller={facts.controller} />
        <div>
          <dt>{t('pages.privacy.facts.swap')}</dt>
          <dd>{t(`pages.privacy.facts.swaps.${facts.hasSwap}`)}</dd>
        </div>
        <div>
          <dt>{t('pages.privacy.facts.signIn')}</dt>
          <dd>{facts.signInProvider ?? t('pages.privacy.facts.noProvider')}</dd>
        </div>
        <div>
          <dt>{t('pages.privacy.facts.models')}</dt>
          <dd>
            <Models models={facts.models} />
          </dd>
        </div>
        <div>
          <dt>{t('pages.privacy.facts.receipts')}</dt>
          <dd>
            <code>{facts.receiptKeys}</code>
          </dd>
        </div>
      </dl>
    </Card>
  );
}

/** Who answers for this installation, or that nobody has said so. */
function Controller({ controller }: Pick<StatedFacts, 'controller'>): ReactNode {
  const { t } = useTranslation();
  const officer = controller?.dataProtectionOfficer ?? null;
  return (
    <>
      <div>
        <dt>{t('pages.privacy.facts.controller')}</dt>
        <dd>
          {controller === null
            ? t('pages.privacy.facts.noController')
            : `${controller.name}, ${controller.contact}`}
        </dd>
      </div>
      {officer !== null && (
        <div>
          <dt>{t('pages.privacy.facts.officer')}</dt>
          <dd>{officer}</dd>
        </div>
      )}
    </>
  );
}

function Models({ models }: Pick<StatedFacts, 'models'>): ReactNode {
  const { t } = useTranslation();
  if (models.length === 0) return t('pages.privacy.facts.noModels');
  return (
    <ul className="models">
      {models.map(({ use, name, isOutside, retention }) => (
        <li key={`${use} ${name}`} className="row">
          <span>{name}</span>
          <Badge>{t(`pages.privacy.uses.${use}`)}</Badge>
          <Badge tone={isOutside ? 'warn' : 'good'}>
            {t(`pages.privacy.where.${isOutside ? 'outside' : 'here'}`)}
          </Badge>
          <span className="muted">{t(`pages.privacy.retention.${retention}`)}</span>
        </li>
      ))}
    </ul>
  );
}
