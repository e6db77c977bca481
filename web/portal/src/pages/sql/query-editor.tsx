import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SqlResult } from '../../../../../contract/sql.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { TextField } from '../../ui/fields.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { Fault } from '../../ui/states.tsx';
import { sqlApi, sqlKey } from './data.ts';
import { ResultRows } from './result.tsx';

const ROWS_MAX = 500;
const HISTORY_MAX = 20;
const ONE_LINE = 80;

interface Outcome {
  readonly result: SqlResult;
  readonly tookMs: number;
}

/** Statements and results live as long as the page. */
export function QueryEditor({ name }: { readonly name: string }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [sql, setSql] = useState('');
  const [isReadOnly, setReadOnly] = useState(false);
  const [history, setHistory] = useState<readonly string[]>([]);
  const run = useMutation({
    async mutationFn(): Promise<Outcome> {
      const from = performance.now();
      const body = { sql, readOnly: isReadOnly, rowsMax: ROWS_MAX };
      const result = await request<SqlResult>(sqlApi(name, '/query'), { method: 'POST', body });
      return { result, tookMs: performance.now() - from };
    },
    onMutate: () =>
      setHistory((before) => [sql, ...before.filter((one) => one !== sql)].slice(0, HISTORY_MAX)),
    // It may have changed tables and size.
    onSuccess: () => (isReadOnly ? undefined : client.invalidateQueries({ queryKey: sqlKey(name) })),
  });
  const submit = (): void => {
    if (sql.trim() !== '' && !run.isPending) run.mutate();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submit();
  };
  return (
    <>
      <Card>
        <div className="sql-editor" onKeyDown={onKeyDown}>
          <TextField
            label={t('pages.sql.query.statement')}
            hint={t('pages.sql.query.hint')}
            isLong
            rows={6}
            value={sql}
            onChange={setSql}
            spellCheck="false"
          />
        </div>
        <div className="row">
          <Button kind="primary" isPending={run.isPending} isDisabled={sql.trim() === ''} onPress={submit}>
            {t('pages.sql.query.run')}
          </Button>
          <Checkbox isSelected={isReadOnly} onChange={setReadOnly}>
            {t('pages.sql.query.readOnly')}
          </Checkbox>
          {history.length > 0 && <History statements={history} onChoose={setSql} />}
        </div>
        {run.error && <Fault error={run.error} />}
      </Card>
      {run.data && !run.isPending && <Result {...run.data} />}
    </>
  );
}

function History(props: {
  readonly statements: readonly string[];
  readonly onChoose: (statement: string) => void;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <MenuTrigger>
      <Button kind="quiet">{t('pages.sql.query.history')}</Button>
      <Popover className="popover">
        <Menu
          aria-label={t('pages.sql.query.history')}
          onAction={(key) => props.onChoose(props.statements[Number(key)] ?? '')}
        >
          {props.statements.map((statement, at) => (
            <MenuItem key={statement} id={at} className="option" textValue={statement}>
              <code>{oneLine(statement)}</code>
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > ONE_LINE ? `${line.slice(0, ONE_LINE)}…` : line;
}

function Result({ result, tookMs }: Outcome): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { columns, rows, changes } = result;
  const isRead = columns.length > 0;
  return (
    <section className="stack" aria-label={t('pages.sql.result.title')}>
      <p role="status" className="muted">
        {isRead
          ? t('pages.sql.result.rows', { count: rows.length })
          : t('pages.sql.result.changes', { count: changes })}{' '}
        · {format.duration(tookMs)}
      </p>
      {isRead && <ResultRows {...result} />}
    </section>
  );
}
