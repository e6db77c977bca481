import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileSchema, LibraryRequirements } from '../../../../../../contract/compatible.ts';
import type * as z from 'zod';
import { Segments } from '../../../ui/choice.tsx';
import { TextField } from '../../../ui/fields.tsx';
import { FileDrop } from '../../../ui/file-drop.tsx';
import { useFormat } from '../../../ui/format.ts';
import { exampleInput } from '../example-input.ts';
import { asSchema } from '../requirements/json-schema.ts';
import {
  type Draft,
  type FormFault,
  type FormNode,
  draftOf,
  exampleValueOf,
  formNode,
  valueOf,
} from './form-node.ts';
import { SchemaField } from './schema-field.tsx';

/** The body of a call as far as it was filled in. */
export type BodyInput =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly file: File | undefined }
  | { readonly kind: 'form'; readonly node: FormNode; readonly draft: Draft }
  | { readonly kind: 'json'; readonly node: FormNode; readonly text: string };

export interface ReadBody {
  /** Undefined where nothing is sent. */
  readonly body: { readonly type: string; readonly content: Blob | string } | undefined;
  readonly faults: readonly FormFault[];
}

export function initialBody(requirements: LibraryRequirements): BodyInput {
  if (requirements.inputType === 'NONE') return { kind: 'none' };
  if (requirements.inputType === 'FILE') return { kind: 'file', file: undefined };
  const schema = asSchema(requirements.inputSchema);
  const node = formNode(schema);
  const example = exampleInput(requirements).json ?? exampleValueOf(schema);
  if (node.kind === 'json') return { kind: 'json', node, text: asText(example ?? {}) };
  return { kind: 'form', node, draft: draftOf(node, example) };
}

export function readBody(input: BodyInput): ReadBody {
  switch (input.kind) {
    case 'none':
      return { body: undefined, faults: [] };
    case 'file': {
      const { file } = input;
      if (file === undefined) return { body: undefined, faults: [{ pointer: '', fault: 'missing' }] };
      return { body: { type: file.type || 'application/octet-stream', content: file }, faults: [] };
    }
    case 'form': {
      const { value, faults } = valueOf(input.node, input.draft);
      return { body: { type: 'application/json', content: JSON.stringify(value) }, faults };
    }
    case 'json':
      return {
        body: { type: 'application/json', content: input.text },
        faults: isJson(input.text) ? [] : [{ pointer: '', fault: 'json' }],
      };
  }
}

/** A form made of the schema; the JSON itself for whoever likes that better, or where no form can be made. */
export function BodyField(props: {
  readonly requirements: LibraryRequirements;
  readonly input: BodyInput;
  readonly onChange: (input: BodyInput) => void;
  readonly faults: readonly FormFault[];
}): ReactNode {
  const { input, onChange, faults, requirements } = props;
  switch (input.kind) {
    case 'none':
      return null;
    case 'file':
      return (
        <FileField
          schema={requirements.inputSchema as z.infer<typeof FileSchema>}
          file={input.file}
          onFile={(file) => onChange({ kind: 'file', file })}
          isMissing={faults.length > 0}
        />
      );
    case 'form':
      return (
        <>
          <Ways input={input} onChange={onChange} />
          <div className="form-root">
            <SchemaField
              node={input.node}
              draft={input.draft}
              onChange={(draft) => onChange({ ...input, draft })}
              label=""
              required
              pointer=""
              faults={faults}
            />
          </div>
        </>
      );
    case 'json':
      return <JsonField input={input} onChange={onChange} isBroken={faults.length > 0} />;
  }
}

function JsonField(props: {
  readonly input: BodyInput & { readonly kind: 'json' };
  readonly onChange: (input: BodyInput) => void;
  readonly isBroken: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const { input, onChange } = props;
  return (
    <>
      {input.node.kind !== 'json' && <Ways input={input} onChange={onChange} />}
      <TextField
        label={t('pages.library.try.json')}
        isLong
        rows={10}
        spellCheck="false"
        value={input.text}
        onChange={(text) => onChange({ ...input, text })}
        fault={props.isBroken ? t('pages.library.form.faults.json') : undefined}
      />
    </>
  );
}

/** Form or JSON; what was filled in comes along. */
function Ways(props: {
  readonly input: BodyInput & { readonly kind: 'form' | 'json' };
  readonly onChange: (input: BodyInput) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { input, onChange } = props;
  const { node } = input;
  return (
    <Segments
      label={t('pages.library.try.ways')}
      value={input.kind}
      options={(['form', 'json'] as const).map((id) => ({ id, name: t(`pages.library.try.as.${id}`) }))}
      onChange={(kind) => {
        if (kind === input.kind) return;
        if (input.kind === 'form') {
          onChange({ kind: 'json', node, text: asText(valueOf(node, input.draft).value ?? {}) });
        } else if (isJson(input.text)) {
          onChange({ kind: 'form', node, draft: draftOf(node, JSON.parse(input.text)) });
        }
      }}
    />
  );
}

function FileField(props: {
  readonly schema: z.infer<typeof FileSchema>;
  readonly file: File | undefined;
  readonly onFile: (file: File | undefined) => void;
  readonly isMissing: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { schema, file } = props;
  const accept = schema.extensions.map((extension) => `.${extension.replace(/^\./, '')}`);
  return (
    <div className="stack">
      <FileDrop
        label={schema.description || t('pages.library.try.file')}
        action={t('pages.library.try.chooseFile')}
        hint={accept.join(', ')}
        accept={accept}
        onFiles={([chosen]) => props.onFile(chosen)}
      />
      <p role="status">
        {file && t('pages.library.try.chosen', { name: file.name, size: format.bytes(file.size) })}
      </p>
      {props.isMissing && (
        <p className="fault" role="alert">
          {t('pages.library.form.faults.missing')}
        </p>
      )}
    </div>
  );
}

function asText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
