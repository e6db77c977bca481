import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { FunctionResource } from '../../../../../../contract/api-v1.ts';
import type { LibraryRequirements, Version } from '../../../../../../contract/compatible.ts';
import { Unlocked } from '../../../shell/unlock.tsx';
import { Button } from '../../../ui/button.tsx';
import { Select, TextField } from '../../../ui/fields.tsx';
import { Card } from '../../../ui/page.tsx';
import { Fault } from '../../../ui/states.tsx';
import { exampleValue } from '../example-input.ts';
import { Answer } from './answer.tsx';
import { type BodyInput, BodyField, initialBody, readBody } from './body-field.tsx';
import { type FunctionAnswer, useFunctionCalls } from './call-function.ts';
import { ConsoleTail } from './console-tail.tsx';

/** Calls the function for real, as the account that is signed in. Nothing of it is kept. */
export function TryIt({
  fn,
  documents,
}: {
  readonly fn: FunctionResource;
  readonly documents: readonly Version[];
}): ReactNode {
  const { t } = useTranslation();
  const targets = fn.versions.flatMap(({ version, deployments }) =>
    deployments.map(({ id, size }) => ({
      id,
      version,
      name: t('pages.library.try.target', { version, size }),
    })),
  );
  const [chosen, setChosen] = useState(targets[0]?.id ?? '');
  const target = targets.find(({ id }) => id === chosen) ?? targets[0];
  const document = documents.find(({ version }) => version === target?.version);
  if (target === undefined || document === undefined) return null;
  return (
    <Unlocked>
      {targets.length > 1 && (
        <Select
          label={t('pages.library.try.what')}
          options={targets}
          value={target.id}
          onChange={setChosen}
        />
      )}
      <CallForm key={target.id} deploymentId={target.id} requirements={document.requirements} />
      {fn.mine && <ConsoleTail shortname={fn.shortname} />}
    </Unlocked>
  );
}

function CallForm({
  deploymentId,
  requirements,
}: {
  readonly deploymentId: string;
  readonly requirements: LibraryRequirements;
}): ReactNode {
  const { t } = useTranslation();
  const { queryParams, requestType } = requirements;
  const call = useFunctionCalls();
  const running = useRef<AbortController>(undefined);
  const [query, setQuery] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(
      queryParams.map((parameter) => [parameter.name, parameter.required ? exampleValue(parameter) : '']),
    ),
  );
  const [body, setBody] = useState<BodyInput>(() => initialBody(requirements));
  const [isChecked, setChecked] = useState(false);
  const read = readBody(body);
  const { mutate, data, error, isPending } = useMutation<FunctionAnswer>({
    mutationFn: () => {
      const given = Object.entries(query).filter(
        ([name, value]) => value !== '' || queryParams.some((one) => one.name === name && one.required),
      );
      running.current = new AbortController();
      const asked = { deploymentId, method: requestType, query: Object.fromEntries(given), body: read.body };
      return call(asked, running.current.signal);
    },
    gcTime: 0,
  });
  useEffect(() => () => running.current?.abort(), []);
  const isImpossible = requestType === 'GET' && body.kind !== 'none';
  return (
    <>
      <Card title={t('pages.library.try.call')}>
        <p className="muted">{t('pages.library.try.lead')}</p>
        {isImpossible && <p className="notice warn">{t('pages.library.try.getBody')}</p>}
        <Form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setChecked(true);
            if (read.faults.length === 0) mutate();
          }}
        >
          <QueryFields parameters={queryParams} values={query} onChange={setQuery} />
          <BodyField
            requirements={requirements}
            input={body}
            onChange={setBody}
            faults={isChecked ? read.faults : []}
          />
          <div className="row">
            <Button type="submit" kind="primary" isPending={isPending} isDisabled={isImpossible}>
              {t('pages.library.try.send', { method: requestType })}
            </Button>
            {isPending && (
              <Button onPress={() => running.current?.abort()}>{t('pages.library.try.stop')}</Button>
            )}
          </div>
        </Form>
      </Card>
      {error && running.current?.signal.aborted !== true && <Fault error={error} />}
      {data && <Answer answer={data} />}
    </>
  );
}

function QueryFields({
  parameters,
  values,
  onChange,
}: {
  readonly parameters: LibraryRequirements['queryParams'];
  readonly values: Readonly<Record<string, string>>;
  readonly onChange: (values: Readonly<Record<string, string>>) => void;
}): ReactNode {
  const { t } = useTranslation();
  return parameters.map(({ name, required, description }) => (
    <TextField
      key={name}
      label={required ? name : t('pages.library.form.optional', { name })}
      hint={description}
      isRequired={required}
      value={values[name] ?? ''}
      onChange={(value) => onChange({ ...values, [name]: value })}
    />
  ));
}
