import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Form, Label, Radio, RadioGroup } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import type { VectorDatabase } from '../../../../../contract/vectors.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Fault } from '../../ui/states.tsx';
import { VECTORS_API, VECTORS_KEY } from './data.ts';

type Kind = VectorDatabase['kind'];
const KINDS: readonly Kind[] = ['sealed', 'strict'];

interface Draft {
  readonly name: string;
  readonly kind: Kind;
  readonly resolver: string;
  readonly bringsVectors: boolean;
  readonly dimensions: string;
}
const NEW: Draft = { name: '', kind: 'sealed', resolver: '', bringsVectors: false, dimensions: '' };

export function CreateDatabase(props: { readonly isOpen: boolean; readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <Dialog title={t('pages.vectors.create.title')} isOpen={props.isOpen} onClose={props.onClose}>
      <CreateForm onClose={props.onClose} />
    </Dialog>
  );
}

function CreateForm({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(NEW);
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const create = useMutation({
    mutationFn: () => request<VectorDatabase>(VECTORS_API, { method: 'POST', body: bodyOf(draft) }),
    async onSuccess({ name }) {
      await client.invalidateQueries({ queryKey: VECTORS_KEY });
      onClose();
      await navigate(`/vectors/${encodeURIComponent(name)}`);
    },
  });
  return (
    <Form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <TextField
        label={t('pages.vectors.create.name')}
        hint={t('pages.vectors.create.nameHint')}
        value={draft.name}
        onChange={(name) => change({ name })}
        maxLength={64}
        isRequired
        autoFocus
      />
      <KindField value={draft.kind} onChange={(kind) => change({ kind })} />
      {draft.kind === 'strict' && (
        <TextField
          label={t('pages.vectors.create.resolver')}
          hint={t('pages.vectors.create.resolverHint')}
          value={draft.resolver}
          onChange={(resolver) => change({ resolver })}
        />
      )}
      <Checkbox isSelected={draft.bringsVectors} onChange={(bringsVectors) => change({ bringsVectors })}>
        {t('pages.vectors.create.own')}
      </Checkbox>
      {draft.bringsVectors && (
        <TextField
          label={t('pages.vectors.create.dimensions')}
          hint={t('pages.vectors.create.dimensionsHint')}
          type="number"
          value={draft.dimensions}
          onChange={(dimensions) => change({ dimensions })}
          isRequired
        />
      )}
      <p className="notice warn">{t('pages.vectors.leak')}</p>
      {create.error && <Fault error={create.error} />}
      <div className="row">
        <Button type="submit" kind="primary" isPending={create.isPending}>
          {t('pages.vectors.create.submit')}
        </Button>
        <Button onPress={onClose}>{t('confirm.cancel')}</Button>
      </div>
    </Form>
  );
}

function KindField(props: { readonly value: Kind; readonly onChange: (kind: Kind) => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <RadioGroup
      className="field"
      value={props.value}
      onChange={(value) => props.onChange(value === 'strict' ? 'strict' : 'sealed')}
    >
      <Label className="label">{t('pages.vectors.columns.kind')}</Label>
      {KINDS.map((kind) => (
        <Radio key={kind} value={kind} className="choice-card">
          <strong>{t(`pages.vectors.kinds.${kind}.name`)}</strong>
          <span className="hint">{t(`pages.vectors.kinds.${kind}.text`)}</span>
        </Radio>
      ))}
    </RadioGroup>
  );
}

function bodyOf({ name, kind, resolver, bringsVectors, dimensions }: Draft): object {
  return {
    name: name.trim(),
    kind,
    ...(kind === 'strict' && resolver.trim() !== '' && { resolver: resolver.trim() }),
    ...(bringsVectors && { model: null, dimensions: Number(dimensions) }),
  };
}
