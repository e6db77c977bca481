import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { BeginVisitorRequest } from '../../../../../contract/aimee-rights.ts';
import type { RightKind } from '../../../../../contract/rights.ts';
import { Button } from '../../ui/button.tsx';
import { Checkbox } from '../../ui/choice.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Select, TextField } from '../../ui/fields.tsx';
import { utcDay } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { useShowReceipt } from './receipts.tsx';
import { beginVisitorRequest, forgetVisitorRequests } from './requests-data.ts';

const KINDS = [
  'access',
  'rectification',
  'erasure',
  'restriction',
  'lifting',
  'portability',
  'objection',
  'withdrawal',
] as const;

interface Draft {
  readonly kind: RightKind;
  readonly reference: string;
  readonly receivedOn: string;
  readonly isLater: boolean;
  readonly message: string;
  readonly text: string;
}

/** A visitor has asked, by the reference that the chat showed him: what for, and whether to do it now. */
export function VisitorRequestForm({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showReceipt = useShowReceipt();
  const empty: Draft = {
    kind: 'access',
    reference: '',
    receivedOn: utcDay(),
    isLater: false,
    message: '1',
    text: '',
  };
  const [draft, setDraft] = useState(empty);
  const [isAsking, setAsking] = useState(false);
  const set = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const { kind } = draft;
  const form = formOf(draft);
  return (
    <Card title={t('pages.aimee.requests.title')}>
      <p className="muted narrow">{t('pages.aimee.requests.text')}</p>
      <div className="grid top">
        <Fields draft={draft} set={set} />
      </div>
      {kind === 'rectification' ? (
        <div className="grid">
          <TextField
            label={t('pages.aimee.requests.message')}
            value={draft.message}
            onChange={(message) => set({ message })}
            inputMode="numeric"
          />
          <TextField
            label={t('pages.aimee.requests.note')}
            hint={t('pages.aimee.requests.noteHint')}
            value={draft.text}
            onChange={(text) => set({ text })}
            maxLength={2000}
            isLong
          />
        </div>
      ) : (
        <Checkbox isSelected={draft.isLater} onChange={(isLater) => set({ isLater })}>
          {t('pages.aimee.requests.later')}
        </Checkbox>
      )}
      <div className="row">
        <Button kind="primary" isDisabled={form === undefined} onPress={() => setAsking(true)}>
          {t('pages.aimee.requests.open')}
        </Button>
      </div>
      <Confirm
        title={t(`pages.rights.kinds.${kind}`)}
        action={t('pages.aimee.requests.open')}
        kind={kind === 'erasure' && !draft.isLater ? 'danger' : 'primary'}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          if (form === undefined) return;
          const { receipt } = await beginVisitorRequest(site.id, form);
          const done = t('pages.rights.requests.ended', { kind: t(`pages.rights.kinds.${kind}`) });
          if (receipt !== null) showReceipt({ done, receipt });
          setDraft(empty);
          await forgetVisitorRequests(client, site.id);
        }}
      >
        <p>{draft.isLater ? t('pages.aimee.requests.laterText') : t(`pages.aimee.requests.does.${kind}`)}</p>
      </Confirm>
    </Card>
  );
}

function Fields({
  draft,
  set,
}: {
  readonly draft: Draft;
  readonly set: (part: Partial<Draft>) => void;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <TextField
        label={t('pages.aimee.requests.reference')}
        hint={t('pages.aimee.requests.referenceHint')}
        value={draft.reference}
        onChange={(reference) => set({ reference })}
        maxLength={40}
      />
      <Select<RightKind>
        label={t('pages.aimee.requests.kind')}
        value={draft.kind}
        onChange={(kind) => set({ kind })}
        options={KINDS.map((id) => ({ id, name: t(`pages.rights.kinds.${id}`) }))}
      />
      <TextField
        label={t('pages.aimee.requests.receivedOn')}
        type="date"
        value={draft.receivedOn}
        onChange={(receivedOn) => set({ receivedOn })}
      />
    </>
  );
}

/** Undefined while something is missing. */
function formOf({
  kind,
  reference,
  receivedOn,
  isLater,
  message,
  text,
}: Draft): BeginVisitorRequest | undefined {
  if (reference.trim() === '' || receivedOn === '') return undefined;
  const form = { kind, reference: reference.trim(), receivedOn };
  if (kind !== 'rectification') return { ...form, carryOut: !isLater };
  const note = { message: Number(message), text: text.trim() };
  return Number.isInteger(note.message) && note.message > 0 && note.text !== ''
    ? { ...form, note }
    : undefined;
}
