import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeHandOver } from '../../../../../contract/aimee.ts';
import { Checkbox } from '../../ui/choice.tsx';
import { Select, TextField } from '../../ui/fields.tsx';
import { Card } from '../../ui/page.tsx';
import type { Draft } from './draft.ts';
import { LinesField, NumberField } from './parsed-field.tsx';

const PERSONA_LENGTH_MAX = 4000;
const LANGUAGES = ['ar', 'de', 'en', 'es', 'fr', 'he', 'it', 'ja', 'nl', 'pl', 'pt', 'tr'];
const OF_THE_QUESTION = 'question';

interface DraftProps {
  readonly draft: Draft;
}

/** How the assistant speaks, what it may do, and whom it hands over to. */
export function Persona({
  draft,
  canSendMail,
}: DraftProps & {
  readonly canSendMail: boolean;
}): ReactNode {
  return (
    <>
      <Who draft={draft} />
      <Asking draft={draft} />
      <HandOver draft={draft} canSendMail={canSendMail} />
      <Limits draft={draft} />
    </>
  );
}

function Who({ draft }: DraftProps): ReactNode {
  const { t, i18n } = useTranslation();
  const { value, change } = draft;
  const names = new Intl.DisplayNames(i18n.language, { type: 'language' });
  const languages = [...new Set([...LANGUAGES, ...(value.language === null ? [] : [value.language])])];
  return (
    <Card title={t('pages.aimee.persona.title')}>
      <TextField
        label={t('pages.aimee.create.name')}
        hint={t('pages.aimee.create.nameHint')}
        value={value.name}
        onChange={(name) => change({ name })}
        maxLength={80}
        isRequired
      />
      <TextField
        label={t('pages.aimee.persona.persona')}
        hint={t('pages.aimee.persona.personaHint')}
        placeholder={t('pages.aimee.persona.personaExample')}
        value={value.persona}
        onChange={(persona) => change({ persona })}
        maxLength={PERSONA_LENGTH_MAX}
        isLong
        rows={7}
      />
      <Select
        label={t('pages.aimee.persona.language')}
        value={value.language ?? OF_THE_QUESTION}
        onChange={(id) => change({ language: id === OF_THE_QUESTION ? null : id })}
        options={[
          { id: OF_THE_QUESTION, name: t('pages.aimee.persona.ofTheQuestion') },
          ...languages.map((id) => ({ id, name: names.of(id) ?? id })),
        ]}
      />
    </Card>
  );
}

function Asking({ draft }: DraftProps): ReactNode {
  const { t } = useTranslation();
  const { value, change } = draft;
  return (
    <Card title={t('pages.aimee.persona.behaviour')}>
      <LinesField
        label={t('pages.aimee.persona.suggestions')}
        hint={t('pages.aimee.persona.suggestionsHint')}
        value={value.suggestions}
        onChange={(suggestions) => change({ suggestions })}
      />
      <LinesField
        label={t('pages.aimee.persona.functions')}
        hint={t('pages.aimee.persona.functionsHint')}
        value={value.functions}
        onChange={(functions) => change({ functions })}
        rows={2}
      />
    </Card>
  );
}

const NO_HAND_OVER: Record<AimeeHandOver['kind'], AimeeHandOver> = {
  none: { kind: 'none' },
  email: { kind: 'email', email: '' },
  link: { kind: 'link', url: '', label: '' },
};

function HandOver({ draft, canSendMail }: DraftProps & { readonly canSendMail: boolean }): ReactNode {
  const { t } = useTranslation();
  const { handOver } = draft.value;
  const change = (next: AimeeHandOver): void => draft.change({ handOver: next });
  return (
    <Card title={t('pages.aimee.handOver.title')}>
      <Select
        label={t('pages.aimee.handOver.kind')}
        hint={t('pages.aimee.handOver.hint')}
        value={handOver.kind}
        onChange={(kind) => change(NO_HAND_OVER[kind])}
        options={(['none', 'email', 'link'] as const).map((id) => ({
          id,
          name: t(`pages.aimee.handOver.is.${id}`),
        }))}
      />
      {handOver.kind === 'email' && (
        <>
          {!canSendMail && <p className="notice warn">{t('pages.aimee.handOver.noMail')}</p>}
          <TextField
            type="email"
            label={t('pages.aimee.handOver.email')}
            value={handOver.email}
            onChange={(email) => change({ ...handOver, email })}
            isRequired
          />
        </>
      )}
      {handOver.kind === 'link' && (
        <div className="grid">
          <TextField
            type="url"
            label={t('pages.aimee.handOver.url')}
            placeholder="https://www.example.com/contact"
            value={handOver.url}
            onChange={(url) => change({ ...handOver, url })}
            isRequired
          />
          <TextField
            label={t('pages.aimee.handOver.label')}
            value={handOver.label}
            onChange={(label) => change({ ...handOver, label })}
            maxLength={80}
            isRequired
          />
        </div>
      )}
    </Card>
  );
}

function Limits({ draft }: DraftProps): ReactNode {
  const { t } = useTranslation();
  const { value, change } = draft;
  return (
    <Card title={t('pages.aimee.limits.title')}>
      <Checkbox isSelected={value.isOn} onChange={(isOn) => change({ isOn })}>
        {t('pages.aimee.limits.isOn')}
      </Checkbox>
      <p className="muted narrow">{t('pages.aimee.limits.text')}</p>
      <div className="grid">
        <NumberField
          label={t('pages.aimee.limits.perMinute')}
          value={value.messagesPerMinute}
          onChange={(messagesPerMinute) => change({ messagesPerMinute })}
        />
        <NumberField
          label={t('pages.aimee.limits.perDay')}
          value={value.messagesPerDay}
          onChange={(messagesPerDay) => change({ messagesPerDay })}
        />
      </div>
    </Card>
  );
}
