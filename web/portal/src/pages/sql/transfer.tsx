import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SqlImported, SqlSchema } from '../../../../../contract/sql.ts';
import { Button } from '../../ui/button.tsx';
import { Segments } from '../../ui/choice.tsx';
import { download } from '../../ui/download.ts';
import { Select, TextField } from '../../ui/fields.tsx';
import { FileDrop } from '../../ui/file-drop.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/page.tsx';
import { Progress } from '../../ui/progress.tsx';
import { Fault } from '../../ui/states.tsx';
import { sqlApi, sqlKey } from './data.ts';
import { sendImport } from './send-import.ts';

interface TransferProps {
  readonly name: string;
  readonly tables: SqlSchema['tables'];
}

export function Transfer(props: TransferProps): ReactNode {
  return (
    <>
      <ImportCard name={props.name} />
      <ExportCard {...props} />
    </>
  );
}

/** All of a file, or nothing. */
function ImportCard({ name }: { readonly name: string }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [table, setTable] = useState('');
  const [share, setShare] = useState<number>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = useMutation({
    mutationFn(file: File) {
      running.current = new AbortController();
      setShare(undefined);
      const csv = isCsv(file) ? table.trim() || nameOf(file) : null;
      const { signal } = running.current;
      return sendImport({ name, file, table: csv, onProgress: setShare, signal });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: sqlKey(name) }),
  });
  return (
    <Card title={t('pages.sql.import.title')}>
      <TextField
        label={t('pages.sql.import.table')}
        hint={t('pages.sql.import.tableHint')}
        value={table}
        onChange={setTable}
      />
      <FileDrop
        label={t('pages.sql.import.drop')}
        hint={t('pages.sql.import.formats')}
        action={t('pages.sql.import.choose')}
        accept={['.sql', '.csv']}
        isDisabled={start.isPending}
        onFiles={([file]) => file && start.mutate(file)}
      />
      {start.isPending && (
        <Progress
          label={t(share === 1 ? 'pages.sql.import.working' : 'pages.sql.import.sending')}
          value={share === 1 ? undefined : share}
        />
      )}
      {start.error && <Fault error={start.error} />}
      {start.data && (
        <p className="row" role="status">
          <Icon name="check" />
          <Imported imported={start.data} />
        </p>
      )}
    </Card>
  );
}

function Imported({ imported }: { readonly imported: SqlImported }): ReactNode {
  const { t } = useTranslation();
  return 'rows' in imported
    ? t('pages.sql.import.rows', { count: imported.rows })
    : t('pages.sql.import.statements', { count: imported.statements });
}

function isCsv({ name, type }: File): boolean {
  return type === 'text/csv' || name.toLowerCase().endsWith('.csv');
}

function nameOf({ name }: File): string {
  return name.replace(/\.[^.]*$/, '');
}

function ExportCard({ name, tables }: TransferProps): ReactNode {
  const { t } = useTranslation();
  const [format, setFormat] = useState<'sql' | 'csv'>('sql');
  const [chosen, setChosen] = useState<string>();
  const table = chosen ?? tables[0]?.name;
  const save = useMutation({
    mutationFn: () =>
      format === 'sql'
        ? download(sqlApi(name, '/export?format=sql'), `${name}.sql`)
        : download(
            sqlApi(name, `/export?format=csv&table=${encodeURIComponent(table ?? '')}`),
            `${table}.csv`,
          ),
  });
  return (
    <Card title={t('pages.sql.export.title')}>
      <p className="muted">{t('pages.sql.export.text')}</p>
      <Segments
        label={t('pages.sql.export.format')}
        value={format}
        onChange={setFormat}
        options={[
          { id: 'sql', name: t('pages.sql.export.all') },
          { id: 'csv', name: t('pages.sql.export.one') },
        ]}
      />
      {format === 'csv' && table !== undefined && (
        <Select
          label={t('pages.sql.import.table')}
          value={table}
          onChange={setChosen}
          options={tables.map((one) => ({ id: one.name, name: one.name }))}
        />
      )}
      {save.error && <Fault error={save.error} />}
      <div className="row">
        <Button
          isPending={save.isPending}
          isDisabled={format === 'csv' && table === undefined}
          onPress={() => save.mutate()}
        >
          {t('pages.sql.export.submit')}
        </Button>
      </div>
    </Card>
  );
}
