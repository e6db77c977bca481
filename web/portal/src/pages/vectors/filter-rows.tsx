import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/button.tsx';
import { Select, TextField } from '../../ui/fields.tsx';
import { Icon } from '../../ui/icon.tsx';
import { type FilterRow, OPERATORS } from './filter.ts';

/** Conditions on metadata; all of them have to hold. */
export function FilterRows(props: {
  readonly rows: readonly FilterRow[];
  readonly onChange: (rows: readonly FilterRow[]) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { rows, onChange } = props;
  const add = (): void => {
    const key = 1 + Math.max(0, ...rows.map((row) => row.key));
    onChange([...rows, { key, field: '', operator: 'eq', value: '' }]);
  };
  const change = (key: number, part: Partial<FilterRow>): void =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <fieldset className="filter">
      <legend className="label">{t('pages.vectors.filter.title')}</legend>
      {rows.map(({ key, field, operator, value }, at) => (
        <div
          key={key}
          className="filter-row"
          role="group"
          aria-label={t('pages.vectors.filter.row', { number: at + 1 })}
        >
          <TextField
            label={t('pages.vectors.filter.field')}
            value={field}
            onChange={(text) => change(key, { field: text })}
          />
          <Select
            label={t('pages.vectors.filter.operator')}
            value={operator}
            options={OPERATORS.map((id) => ({ id, name: t(`pages.vectors.filter.operators.${id}`) }))}
            onChange={(id) => change(key, { operator: id })}
          />
          <TextField
            label={t('pages.vectors.filter.value')}
            value={value}
            onChange={(text) => change(key, { value: text })}
          />
          <Button
            kind="quiet"
            aria-label={t('pages.vectors.filter.remove', { number: at + 1 })}
            onPress={() => onChange(rows.filter((row) => row.key !== key))}
          >
            <Icon name="trash" />
          </Button>
        </div>
      ))}
      {rows.length > 0 && <p className="hint">{t('pages.vectors.filter.hint')}</p>}
      <div className="row">
        <Button kind="quiet" onPress={add}>
          <Icon name="plus" />
          {t('pages.vectors.filter.add')}
        </Button>
      </div>
    </fieldset>
  );
}
