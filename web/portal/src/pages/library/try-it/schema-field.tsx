import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../../ui/button.tsx';
import { Checkbox } from '../../../ui/choice.tsx';
import { Select, TextField } from '../../../ui/fields.tsx';
import { Icon } from '../../../ui/icon.tsx';
import { type Draft, type FormFault, type FormNode, draftOf } from './form-node.ts';

export interface SchemaFieldProps {
  readonly node: FormNode;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly label: string;
  readonly required: boolean;
  /** JSON pointer of the value. */
  readonly pointer: string;
  readonly faults: readonly FormFault[];
}

/** A field for a value of a schema, or a group of them. */
export function SchemaField(props: SchemaFieldProps): ReactNode {
  const { t } = useTranslation();
  const { node, draft, onChange, label } = props;
  if (!node.isNullable) return <Field {...props} />;
  return (
    <div className="nullable">
      {draft.is === 'null' ? <p className="label">{label}</p> : <Field {...props} />}
      <Checkbox
        isSelected={draft.is === 'null'}
        onChange={(isNull) =>
          onChange(isNull ? { is: 'null' } : draftOf({ ...node, isNullable: false }, undefined))
        }
      >
        {t('pages.library.form.null', { name: label })}
      </Checkbox>
    </div>
  );
}

function Field(props: SchemaFieldProps): ReactNode {
  const { node, draft } = props;
  if (node.kind === 'group' && draft.is === 'group') return <Group {...props} node={node} draft={draft} />;
  if (node.kind === 'list' && draft.is === 'list') return <List {...props} node={node} draft={draft} />;
  return <Scalar {...props} text={draft.is === 'text' ? draft.text : ''} />;
}

function Scalar({ node, text, onChange, ...props }: SchemaFieldProps & { readonly text: string }): ReactNode {
  const { t } = useTranslation();
  const found = props.faults.find(({ pointer }) => pointer === props.pointer);
  const fault = found && t(`pages.library.form.faults.${found.fault}`);
  const label = labelOf(props, t);
  const change = (value: string): void => onChange({ is: 'text', text: value });
  if (node.kind === 'boolean' || node.kind === 'choice') {
    const options =
      node.kind === 'choice'
        ? node.values.map((value, at) => ({
            id: String(at),
            name: typeof value === 'string' ? value : JSON.stringify(value),
          }))
        : ['true', 'false'].map((id) => ({ id, name: id }));
    return (
      <Select
        label={label}
        hint={fault ?? node.description}
        value={text === '' ? UNSET : text}
        onChange={(id) => change(id === UNSET ? '' : id)}
        options={[{ id: UNSET, name: t('pages.library.form.unset') }, ...options]}
      />
    );
  }
  return (
    <TextField
      label={label}
      hint={node.description}
      fault={fault}
      value={text}
      onChange={change}
      isLong={node.kind === 'json'}
      {...((node.kind === 'number' || node.kind === 'integer') && { inputMode: 'decimal' })}
    />
  );
}

function labelOf({ label, required }: Pick<SchemaFieldProps, 'label' | 'required'>, t: TFunction): string {
  return required ? label : t('pages.library.form.optional', { name: label });
}

/** Stands for no value in lists of choices. */
const UNSET = 'unset';

function Group({
  node,
  draft,
  onChange,
  ...props
}: SchemaFieldProps & {
  readonly node: { readonly kind: 'group' };
  readonly draft: { readonly is: 'group' };
}): ReactNode {
  const { t } = useTranslation();
  return (
    <fieldset className="group">
      {props.label !== '' && <legend>{labelOf(props, t)}</legend>}
      {node.description !== '' && <p className="muted">{node.description}</p>}
      {node.fields.map(({ name, required, node: field }) => (
        <SchemaField
          key={name}
          node={field}
          draft={draft.fields[name] ?? draftOf(field, undefined)}
          onChange={(changed) => onChange({ is: 'group', fields: { ...draft.fields, [name]: changed } })}
          label={name}
          required={required}
          pointer={`${props.pointer}/${name}`}
          faults={props.faults}
        />
      ))}
    </fieldset>
  );
}

function List({
  node,
  draft,
  onChange,
  ...props
}: SchemaFieldProps & {
  readonly node: { readonly kind: 'list' };
  readonly draft: { readonly is: 'list' };
}): ReactNode {
  const { t } = useTranslation();
  const { items } = draft;
  const set = (changed: readonly Draft[]): void => onChange({ is: 'list', items: changed });
  return (
    <fieldset className="group">
      <legend>{labelOf(props, t)}</legend>
      {node.description !== '' && <p className="muted">{node.description}</p>}
      {items.map((item, at) => (
        <div key={at} className="list-item">
          <SchemaField
            node={node.item}
            draft={item}
            onChange={(changed) => set(items.with(at, changed))}
            label={`${props.label} ${at + 1}`}
            required
            pointer={`${props.pointer}/${at}`}
            faults={props.faults}
          />
          <Button
            kind="quiet"
            aria-label={t('pages.library.form.remove', { name: `${props.label} ${at + 1}` })}
            onPress={() => set(items.toSpliced(at, 1))}
          >
            <Icon name="trash" />
          </Button>
        </div>
      ))}
      <div className="row">
        <Button onPress={() => set([...items, draftOf(node.item, undefined)])}>
          <Icon name="plus" />
          {t('pages.library.form.add', { name: props.label })}
        </Button>
      </div>
    </fieldset>
  );
}
