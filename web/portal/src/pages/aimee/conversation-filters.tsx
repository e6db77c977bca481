import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/button.tsx';
import { Select, TextField } from '../../ui/fields.tsx';
import { Icon } from '../../ui/icon.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { type Filters, NO_FILTERS } from './conversations-data.ts';

const SEARCH_LENGTH_MIN = 2;

/** A search opens conversations one by one on the server, so it runs when it is asked for; filters act at once. */
export function ConversationFilters(props: {
  readonly filters: Filters;
  readonly onChange: (filters: Filters) => void;
  readonly isSearching: boolean;
  readonly onRefresh: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { filters, onChange } = props;
  const [text, setText] = useState(filters.text);
  const change = (part: Partial<Filters>): void => {
    const next = { ...filters, ...part };
    onChange(isEmpty(next) ? NO_FILTERS : next);
  };
  return (
    <Form
      className="card filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        change({ text: text.trim().length < SEARCH_LENGTH_MIN ? '' : text.trim() });
      }}
    >
      <div className="filter-search">
        <SearchField
          label={t('pages.aimee.filter.text')}
          value={text}
          onChange={(typed) => {
            setText(typed);
            if (typed === '' && filters.text !== '') change({ text: '' });
          }}
        />
        <Button type="submit" isPending={props.isSearching}>
          {t('pages.aimee.filter.search')}
        </Button>
        <Button kind="quiet" onPress={props.onRefresh} aria-label={t('pages.aimee.filter.refresh')}>
          <Icon name="refresh" />
        </Button>
      </div>
      <div className="filter-fields">
        <Select
          label={t('pages.aimee.filter.answered')}
          value={filters.answered}
          onChange={(answered) => change({ answered })}
          options={(['all', 'yes', 'no'] as const).map((id) => ({
            id,
            name: t(`pages.aimee.filter.answeredIs.${id}`),
          }))}
        />
        <Select
          label={t('pages.aimee.filter.rating')}
          value={filters.rating}
          onChange={(rating) => change({ rating })}
          options={(['all', 'up', 'down'] as const).map((id) => ({
            id,
            name: t(`pages.aimee.filter.ratingIs.${id}`),
          }))}
        />
        <DayFields from={filters.from} to={filters.to} onChange={change} />
      </div>
    </Form>
  );
}

function isEmpty({ text, from, to, answered, rating }: Filters): boolean {
  return [text, from, to].every((value) => value === '') && answered === 'all' && rating === 'all';
}

/** A span of days of UTC; both ends belong to it. */
export function DayFields(props: {
  readonly from: string;
  readonly to: string;
  readonly onChange: (part: { from: string } | { to: string }) => void;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <TextField
        type="date"
        label={t('pages.aimee.filter.from')}
        value={props.from}
        onChange={(from) => props.onChange({ from })}
      />
      <TextField
        type="date"
        label={t('pages.aimee.filter.to')}
        value={props.to}
        onChange={(to) => props.onChange({ to })}
      />
    </>
  );
}
