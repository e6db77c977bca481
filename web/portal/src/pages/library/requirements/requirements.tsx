import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { LibraryRequirements } from '../../../../../../contract/compatible.ts';
import { Badge } from '../../../ui/badge.tsx';
import { CodeBlock } from '../../../ui/code-block.tsx';
import { Card } from '../../../ui/page.tsx';
import { Table } from '../../../ui/table.tsx';
import { exampleValue } from '../example-input.ts';
import { decodeText } from '../functions.ts';
import { asSchema } from './json-schema.ts';
import { type SchemaRow, schemaRows } from './schema-rows.ts';

/** What a call has to bring, and what comes back. */
export function Requirements({ requirements }: { readonly requirements: LibraryRequirements }): ReactNode {
  const { t } = useTranslation();
  const { requestType, queryParams, inputType, outputType } = requirements;
  return (
    <>
      {requirements.description && <p>{requirements.description}</p>}
      <p className="row">
        <span>{t('pages.library.requirements.method')}</span> <Badge tone="brand">{requestType}</Badge>
      </p>
      {queryParams.length > 0 && <QueryParameters parameters={queryParams} />}
      <Body
        title={t('pages.library.requirements.input')}
        type={inputType}
        schema={requirements.inputSchema}
        example={decodeText(requirements.inputJsonExample ?? '')}
      />
      <Body
        title={t('pages.library.requirements.output')}
        type={outputType}
        schema={requirements.outputSchema}
        example={requirements.outputJsonExample ?? ''}
      />
    </>
  );
}

function QueryParameters({
  parameters,
}: {
  readonly parameters: LibraryRequirements['queryParams'];
}): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.library.requirements.query')}>
      <Table
        label={t('pages.library.requirements.query')}
        rows={parameters}
        rowKey={({ name }) => name}
        columns={[
          { id: 'name', name: t('pages.library.schema.field'), cell: ({ name }) => <code>{name}</code> },
          {
            id: 'required',
            name: t('pages.library.schema.required'),
            cell: ({ required }) => <Needed required={required} />,
          },
          {
            id: 'description',
            name: t('pages.library.schema.description'),
            cell: ({ description }) => description,
          },
          {
            id: 'example',
            name: t('pages.library.schema.example'),
            cell: (parameter) => <code>{exampleValue(parameter)}</code>,
          },
        ]}
      />
    </Card>
  );
}

function Body(props: {
  readonly title: string;
  readonly type: LibraryRequirements['inputType'];
  readonly schema: unknown;
  readonly example: string;
}): ReactNode {
  const { t } = useTranslation();
  const { title, type, schema, example } = props;
  return (
    <Card title={title} actions={<Badge>{t(`pages.library.bodies.${type}`)}</Badge>}>
      {type === 'NONE' && <p className="muted">{t('pages.library.requirements.nothing')}</p>}
      {type === 'FILE' && <FileBody schema={schema} />}
      {type === 'JSON' && (
        <>
          <SchemaTable label={title} rows={schemaRows(asSchema(schema))} />
          {example !== '' && (
            <CodeBlock
              label={t('pages.library.requirements.example', { of: title })}
              text={pretty(example)}
            />
          )}
        </>
      )}
    </Card>
  );
}

function FileBody({ schema }: { readonly schema: unknown }): ReactNode {
  const { t } = useTranslation();
  const { extensions = [], description = '' } = schema as {
    readonly extensions?: readonly string[];
    readonly description?: string;
  };
  return (
    <>
      <p>{description}</p>
      <p className="row">
        {t('pages.library.requirements.endings')}
        {extensions.map((extension) => (
          <code key={extension}>.{extension}</code>
        ))}
      </p>
    </>
  );
}

function SchemaTable({
  label,
  rows,
}: {
  readonly label: string;
  readonly rows: readonly SchemaRow[];
}): ReactNode {
  const { t } = useTranslation();
  return (
    <Table
      label={label}
      rows={rows}
      rowKey={({ path }) => path}
      columns={[
        {
          id: 'field',
          name: t('pages.library.schema.field'),
          cell: ({ path }) => (path === '' ? t('pages.library.schema.whole') : <code>{path}</code>),
        },
        {
          id: 'type',
          name: t('pages.library.schema.type'),
          cell: ({ types, limits }) => (
            <div className="stack">
              <code>{types.join(' | ')}</code>
              {limits.map((limit) => (
                <code key={limit} className="muted">
                  {limit}
                </code>
              ))}
            </div>
          ),
        },
        {
          id: 'required',
          name: t('pages.library.schema.required'),
          cell: ({ required }) => <Needed required={required} />,
        },
        {
          id: 'description',
          name: t('pages.library.schema.description'),
          cell: ({ description }) => description,
        },
        {
          id: 'example',
          name: t('pages.library.schema.example'),
          cell: ({ example }) => <code>{example}</code>,
        },
      ]}
    />
  );
}

function Needed({ required }: { readonly required: boolean }): ReactNode {
  const { t } = useTranslation();
  return required ? (
    <Badge tone="warn">{t('pages.library.schema.yes')}</Badge>
  ) : (
    <span className="muted">{t('pages.library.schema.no')}</span>
  );
}

/** Indented where it is JSON; as it came where it is not. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
