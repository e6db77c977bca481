import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type * as z from 'zod';
import type { ToolSources } from '../../../../../contract/tool-sources.ts';
import { request } from '../../api.ts';
import { useSession } from '../../session.tsx';
import { Checkbox, Segments } from '../../ui/choice.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Select } from '../../ui/fields.tsx';
import { useFunctions } from '../library/functions.ts';
import type { Model } from './ask.tsx';
import type { Asking } from './use-conversation.ts';

/** As in `ask.css`. */
const BESIDE = '(width >= 70rem)';

const OFFERS = ['none', 'chosen', 'library'] as const;

export interface AskSettingsValue {
  /** Undefined until one may be asked. */
  readonly platform: string | undefined;
  readonly offer: (typeof OFFERS)[number];
  readonly functions: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
}

export function askingOf(value: AskSettingsValue & { readonly platform: string }): Asking {
  const { platform, offer, functions, sources } = value;
  const chosen = offer === 'chosen' ? [...functions] : [];
  return { platform, functions: offer === 'library' ? 'library' : chosen, sources: [...sources] };
}

interface AskSettingsProps {
  readonly value: AskSettingsValue;
  readonly onChange: (value: AskSettingsValue) => void;
}

/** Who answers, and what he may call for it. */
export function AskSettings(
  props: AskSettingsProps & { readonly models: readonly Model[]; readonly chosen: string | undefined },
): ReactNode {
  const { t } = useTranslation();
  // Where there is no room beside the conversation, it stands before it, closed.
  const [isWide] = useState(() => matchMedia(BESIDE).matches);
  return (
    <details className="card" open={isWide}>
      <summary>
        <h2>{t('pages.ask.settings')}</h2>
      </summary>
      <div className="ask-settings">
        <ModelChoice {...props} />
        <FunctionChoice {...props} />
        <SourceChoice {...props} />
      </div>
    </details>
  );
}

function ModelChoice({
  models,
  chosen,
  value,
  onChange,
}: AskSettingsProps & { readonly models: readonly Model[]; readonly chosen: string | undefined }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [asked, setAsked] = useState<Model>();
  const current = models.find(({ platform }) => platform === value.platform);
  const choose = (platform: string): void => {
    const model = models.find((one) => one.platform === platform);
    if (model?.isOutside === true && platform !== chosen) setAsked(model);
    else onChange({ ...value, platform });
  };
  return (
    <div className="stack">
      <Select
        label={t('pages.ask.model')}
        value={value.platform ?? ''}
        onChange={choose}
        options={[
          ...(value.platform === undefined ? [{ id: '', name: t('pages.ask.chooseModel') }] : []),
          ...models.map(({ platform, model }) => ({ id: platform, name: `${model} (${platform})` })),
        ]}
      />
      {current && (
        <p className={current.isOutside ? 'notice warn' : 'muted'}>
          {t(current.isOutside ? `pages.ask.outside.${current.retention}` : 'pages.ask.here')}
        </p>
      )}
      <Confirm
        kind="primary"
        title={t('pages.ask.consent.title', { platform: asked?.platform })}
        action={t('pages.ask.consent.action')}
        isOpen={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={async () => {
          if (asked === undefined) return;
          const { platform } = asked;
          await request('/api/v1/ai/choice', { method: 'PUT', body: { platform } });
          await client.invalidateQueries({ queryKey: ['ai-models'] });
          onChange({ ...value, platform });
        }}
      >
        <p>{t('pages.ask.consent.what', { platform: asked?.platform })}</p>
        {asked && <p>{t(`pages.ask.outside.${asked.retention}`)}</p>}
      </Confirm>
    </div>
  );
}

function FunctionChoice({ value, onChange }: AskSettingsProps): ReactNode {
  const { t } = useTranslation();
  const { data: functions = [] } = useFunctions();
  const usable = functions.filter(({ active }) => active);
  return (
    <fieldset className="choice">
      <legend>{t('pages.ask.functions')}</legend>
      <Segments
        label={t('pages.ask.functions')}
        value={value.offer}
        onChange={(offer) => onChange({ ...value, offer })}
        options={OFFERS.map((id) => ({ id, name: t(`pages.ask.offers.${id}`) }))}
      />
      <p className="muted">{t(`pages.ask.offersWhat.${value.offer}`)}</p>
      {value.offer === 'chosen' && usable.length === 0 && <p>{t('pages.ask.noFunctions')}</p>}
      {value.offer === 'chosen' && (
        <div className="choice-list">
          {usable.map(({ shortname, name, description }) => (
            <Checkbox
              key={shortname}
              isSelected={value.functions.has(shortname)}
              onChange={(isChosen) =>
                onChange({ ...value, functions: toggled(value.functions, shortname, isChosen) })
              }
            >
              <strong>{name}</strong> <span className="muted">{description}</span>
            </Checkbox>
          ))}
        </div>
      )}
    </fieldset>
  );
}

/** Outside servers with approved tools; they are sealed, so only an unlocked session knows them. */
function SourceChoice({ value, onChange }: AskSettingsProps): ReactNode {
  const { t } = useTranslation();
  const { unlocked } = useSession();
  const { data } = useQuery({
    queryKey: ['tool-sources'],
    queryFn: ({ signal }) => request<z.infer<typeof ToolSources>>('/api/v1/ai/sources', { signal }),
    enabled: unlocked,
  });
  const approved = (data?.sources ?? []).filter((source) => source.approved.length > 0);
  if (approved.length === 0) return null;
  return (
    <fieldset className="choice">
      <legend>{t('pages.ask.sources')}</legend>
      <p className="muted">{t('pages.ask.sourcesWhat')}</p>
      {approved.map(({ name, recipient, approved: tools }) => (
        <Checkbox
          key={name}
          isSelected={value.sources.has(name)}
          onChange={(isChosen) => onChange({ ...value, sources: toggled(value.sources, name, isChosen) })}
        >
          <strong>{name}</strong>{' '}
          <span className="muted">{t('pages.ask.source', { recipient, count: tools.length })}</span>
        </Checkbox>
      ))}
    </fieldset>
  );
}

function toggled(before: ReadonlySet<string>, one: string, isIn: boolean): ReadonlySet<string> {
  const after = new Set(before);
  if (isIn) after.add(one);
  else after.delete(one);
  return after;
}
