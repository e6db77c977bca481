import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ObjectionPurpose, RightKind } from '../../../../../contract/rights.ts';
import { Select } from '../../ui/fields.tsx';

const KINDS = ['access', 'rectification', 'erasure', 'restriction', 'portability', 'objection'] as const;
const PURPOSES: readonly ObjectionPurpose[] = ['origin-ip', 'statistics'];

export interface Asked {
  readonly kind: RightKind;
  /** What an objection is to. */
  readonly purpose: ObjectionPurpose;
}

export const FIRST_ASKED: Asked = { kind: 'access', purpose: 'origin-ip' };

export function askedBody({ kind, purpose }: Asked): Partial<Asked> {
  return { kind, ...(kind === 'objection' && { purpose }) };
}

/** What somebody asks for under his rights. */
export function AskedFields({
  asked,
  onChange,
}: {
  readonly asked: Asked;
  readonly onChange: (asked: Asked) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { kind, purpose } = asked;
  return (
    <>
      <Select<RightKind>
        label={t('pages.rights.ask.kind')}
        value={kind}
        onChange={(next) => onChange({ ...asked, kind: next })}
        options={KINDS.map((id) => ({ id, name: t(`pages.rights.kinds.${id}`) }))}
      />
      {kind === 'objection' && (
        <Select<ObjectionPurpose>
          label={t('pages.rights.ask.purpose')}
          value={purpose}
          onChange={(next) => onChange({ ...asked, purpose: next })}
          options={PURPOSES.map((id) => ({ id, name: t(`pages.rights.purposes.${id}.name`) }))}
        />
      )}
    </>
  );
}
