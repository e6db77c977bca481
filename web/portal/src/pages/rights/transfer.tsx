import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CopyInvitation, ReceivedCopy, TakenCopy } from '../../../../../contract/copies.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Confirm, Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { FileDrop } from '../../ui/file-drop.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { Receipt } from '../../ui/receipt.tsx';
import { RIGHTS_API, forgetRights } from './data.ts';

type Outcome = ReceivedCopy & Partial<Pick<TakenCopy, 'left'>>;

/** The copy straight from one installation to another, which has invited to it, or from a file. */
export function Transfer(): ReactNode {
  const { t } = useTranslation();
  const [outcome, setOutcome] = useState<Outcome>();
  return (
    <Card title={t('pages.rights.transfer.title')}>
      <p className="muted">{t('pages.rights.transfer.text')}</p>
      <div className="grid top">
        <Send onDone={setOutcome} />
        <Invite />
        <Import onDone={setOutcome} />
      </div>
      <Dialog
        title={t('pages.rights.transfer.done')}
        isOpen={outcome !== undefined}
        onClose={() => setOutcome(undefined)}
      >
        {outcome && <Taken {...outcome} />}
      </Dialog>
    </Card>
  );
}

function Send({ onDone }: { readonly onDone: (outcome: Outcome) => void }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [address, setAddress] = useState('');
  const [token, setToken] = useState('');
  const [isAsking, setAsking] = useState(false);
  return (
    <div className="stack">
      <h3>{t('pages.rights.transfer.send.title')}</h3>
      <p className="muted">{t('pages.rights.transfer.send.text')}</p>
      <TextField
        label={t('pages.rights.transfer.address')}
        value={address}
        onChange={setAddress}
        type="url"
      />
      <TextField label={t('pages.rights.transfer.token')} value={token} onChange={setToken} type="password" />
      <div className="row">
        <Button isDisabled={address.trim() === '' || token.trim() === ''} onPress={() => setAsking(true)}>
          {t('pages.rights.transfer.send.open')}
        </Button>
      </div>
      <Confirm
        title={t('pages.rights.transfer.send.title')}
        action={t('pages.rights.transfer.send.open')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const body = { address: address.trim(), token: token.trim() };
          onDone(await request<ReceivedCopy>(`${RIGHTS_API}/transmissions`, { method: 'POST', body }));
          setToken('');
          await forgetRights(client);
        }}
      >
        <p>{t('pages.rights.transfer.send.confirm', { address: address.trim() })}</p>
      </Confirm>
    </div>
  );
}

function Invite(): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const [invitation, setInvitation] = useState<CopyInvitation>();
  const [isAsking, setAsking] = useState(false);
  return (
    <div className="stack">
      <h3>{t('pages.rights.transfer.invite.title')}</h3>
      <p className="muted">{t('pages.rights.transfer.invite.text')}</p>
      <div className="row">
        <Button onPress={() => setAsking(true)}>{t('pages.rights.transfer.invite.open')}</Button>
      </div>
      <Confirm
        title={t('pages.rights.transfer.invite.title')}
        action={t('pages.rights.transfer.invite.open')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () =>
          setInvitation(await request<CopyInvitation>(`${RIGHTS_API}/invitations`, { method: 'POST' }))
        }
      >
        <p>{t('pages.rights.transfer.invite.confirm')}</p>
      </Confirm>
      {invitation && (
        <>
          <p role="status">
            {t('pages.rights.transfer.invite.until', { time: format.time(invitation.expiresAt) })}
          </p>
          <CodeBlock label={t('pages.rights.transfer.address')} text={invitation.address} />
          <CodeBlock label={t('pages.rights.transfer.token')} text={invitation.token} />
        </>
      )}
    </div>
  );
}

function Import({ onDone }: { readonly onDone: (outcome: Outcome) => void }): ReactNode {
  const { t } = useTranslation();
  const [file, setFile] = useState<File>();
  return (
    <div className="stack">
      <h3>{t('pages.rights.transfer.import.title')}</h3>
      <FileDrop
        label={t('pages.rights.transfer.import.drop')}
        action={t('pages.rights.transfer.import.choose')}
        accept={['.zip']}
        onFiles={([first]) => setFile(first)}
      />
      <Confirm
        title={t('pages.rights.transfer.import.title')}
        action={t('pages.rights.transfer.import.open')}
        kind="primary"
        isOpen={file !== undefined}
        onClose={() => setFile(undefined)}
        onConfirm={async () => {
          if (file === undefined) return;
          const headers = { 'content-type': 'application/zip' };
          onDone(await request<TakenCopy>(`${RIGHTS_API}/imports`, { method: 'POST', body: file, headers }));
        }}
      >
        <p>{t('pages.rights.transfer.import.confirm', { name: file?.name ?? '' })}</p>
      </Confirm>
    </div>
  );
}

function Taken({ taken, left, leftCount, receipt }: Outcome): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <dl className="facts">
        {Object.entries(taken).map(([kind, count]) => (
          <div key={kind}>
            <dt>{kind}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      {leftCount > 0 && <p>{t('pages.rights.transfer.left', { count: leftCount })}</p>}
      {left !== undefined && left.length > 0 && (
        <ul>
          {left.map(({ kind, name, code }, at) => (
            <li key={at}>
              {kind} <span dir="auto">{name}</span> <code>{code}</code>
            </li>
          ))}
        </ul>
      )}
      <Receipt receipt={receipt} />
    </>
  );
}
