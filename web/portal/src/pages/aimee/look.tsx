import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeLook, AimeeSite } from '../../../../../contract/aimee.ts';
import { Segments } from '../../ui/choice.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Card } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import type { Draft } from './draft.ts';
import { LookPreview } from './look-preview.tsx';
import { ColorField, LinesField } from './parsed-field.tsx';
import { useSnippet } from './snippet-data.ts';

interface LookProps {
  readonly site: AimeeSite;
  readonly draft: Draft;
}

/** How the chat looks, beside what it will look like; where it may be embedded; and what to paste there. */
export function LookAndEmbed({ site, draft }: LookProps): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <div className="look">
        <LookForm draft={draft} />
        <section className="card look-preview" aria-label={t('pages.aimee.look.preview')}>
          <h2>{t('pages.aimee.look.preview')}</h2>
          <LookPreview form={draft.value} />
        </section>
      </div>
      <Card title={t('pages.aimee.origins.title')}>
        <LinesField
          label={t('pages.aimee.origins.label')}
          hint={t('pages.aimee.origins.hint')}
          placeholder="https://www.example.com"
          value={draft.value.allowedOrigins}
          onChange={(allowedOrigins) => draft.change({ allowedOrigins })}
          rows={3}
        />
      </Card>
      <Snippet site={site} draft={draft} />
    </>
  );
}

function LookForm({ draft }: Pick<LookProps, 'draft'>): ReactNode {
  const { t } = useTranslation();
  const { look, name } = draft.value;
  const change = (part: Partial<AimeeLook>): void => draft.change({ look: { ...look, ...part } });
  return (
    <Card title={t('pages.aimee.look.title')}>
      <TextField
        label={t('pages.aimee.look.heading')}
        placeholder={name}
        value={look.title}
        onChange={(title) => change({ title })}
        maxLength={60}
      />
      <TextField
        label={t('pages.aimee.look.greeting')}
        placeholder={t('pages.aimee.preview.greeting')}
        value={look.greeting}
        onChange={(greeting) => change({ greeting })}
        maxLength={300}
        isLong
        rows={3}
      />
      <Accent accent={look.accent} onChange={(accent) => change({ accent })} />
      <div className="choices">
        <div className="field">
          <span className="label">{t('pages.aimee.look.theme')}</span>
          <Segments
            label={t('pages.aimee.look.theme')}
            value={look.theme}
            onChange={(theme) => change({ theme })}
            options={(['auto', 'light', 'dark'] as const).map((id) => ({
              id,
              name: t(`pages.aimee.look.themeIs.${id}`),
            }))}
          />
        </div>
        <div className="field">
          <span className="label">{t('pages.aimee.look.position')}</span>
          <Segments
            label={t('pages.aimee.look.position')}
            value={look.position}
            onChange={(position) => change({ position })}
            options={(['left', 'right'] as const).map((id) => ({
              id,
              name: t(`pages.aimee.look.positionIs.${id}`),
            }))}
          />
        </div>
      </div>
      <TextField
        type="url"
        label={t('pages.aimee.look.privacyUrl')}
        hint={t('pages.aimee.look.privacyUrlHint')}
        placeholder="https://www.example.com/privacy"
        value={look.privacyUrl}
        onChange={(privacyUrl) => change({ privacyUrl })}
      />
    </Card>
  );
}

/** By its code, which everybody can type, or with the picker of the browser. */
function Accent(props: { readonly accent: string; readonly onChange: (accent: string) => void }): ReactNode {
  const { t } = useTranslation();
  const { accent, onChange } = props;
  const [picked, setPicked] = useState(0);
  return (
    <div className="accent">
      <ColorField
        key={picked}
        label={t('pages.aimee.look.accent')}
        value={accent}
        onChange={onChange}
        maxLength={7}
      />
      <input
        type="color"
        aria-label={t('pages.aimee.look.picker')}
        value={accent}
        onChange={({ target }) => {
          onChange(target.value);
          setPicked(picked + 1);
        }}
      />
    </div>
  );
}

function Snippet({ site, draft }: LookProps): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.aimee.snippet.title')}>
      <p className="muted narrow">{t('pages.aimee.snippet.text')}</p>
      {draft.isChanged && <p className="notice warn">{t('pages.aimee.snippet.unsaved')}</p>}
      <Loaded query={useSnippet(site.id)}>
        {({ html, fileUrl }) => (
          <>
            <div className="wrapped">
              <CodeBlock label={t('pages.aimee.snippet.label')} text={html} />
            </div>
            <p className="muted words">
              {t('pages.aimee.snippet.selfHost')} <code>{fileUrl}</code>
            </p>
          </>
        )}
      </Loaded>
    </Card>
  );
}
