import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

export function Loading(): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="empty" role="status">
      <p>{t('states.loading')}</p>
    </div>
  );
}

/** Nothing there yet, why that is, and what to do about it. */
export function EmptyState(props: {
  readonly title: string;
  readonly icon?: IconName;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="empty">
      {props.icon && <Icon name={props.icon} size={40} />}
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

export function ErrorState(props: { readonly error: Error; readonly retry?: () => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="empty" role="alert">
      <Icon name="alert" size={40} />
      <h2>{t('states.failed')}</h2>
      <p>{props.error.message}</p>
      {props.error instanceof ApiError && <code>{props.error.code}</code>}
      {props.retry && <Button onPress={props.retry}>{t('states.retry')}</Button>}
    </div>
  );
}

/** What a form's request was refused for, next to the form. */
export function Fault({ error }: { readonly error: Error }): ReactNode {
  const faults = error instanceof ApiError ? error.faults : [];
  return (
    <div className="notice bad" role="alert">
      <p>{error.message}</p>
      {faults.length > 0 && (
        <ul>
          {faults.map(({ pointer, message }) => (
            <li key={pointer}>
              <code>{pointer}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** A query's three states, and its data. */
export function Loaded<T>(props: {
  readonly query: {
    readonly data: T | undefined;
    readonly error: Error | null;
    readonly refetch: () => unknown;
  };
  readonly children: (data: T) => ReactNode;
}): ReactNode {
  const { data, error, refetch } = props.query;
  if (data !== undefined) return props.children(data);
  return error === null ? <Loading /> : <ErrorState error={error} retry={() => void refetch()} />;
}
