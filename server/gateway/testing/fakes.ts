import type { Account, Accounts } from '../../accounts/accounts.ts';
import type { Holder, KeyPrincipal, Principal } from '../../accounts/principal.ts';
import type { CallRecord, CallStore } from '../../calls/call-record.ts';
import type { RestoreId } from '../../backups/backup-store.ts';
import type { Console, ConsoleLine } from '../../calls/console.ts';
import type { LibraryFunction } from '../../functions/functions.ts';
import { PlatformError, notFound } from '../../kernel/errors.ts';
import type { AccountId, ApiKeyId, DeploymentId, FunctionId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';

/** In-memory stand-ins for the parts behind the gateway, just true enough to tell callers and outcomes apart. */

export const NOW = Date.parse('2026-11-23T10:00:00.750Z');
export const OWNER_KEY = 'sk_owner';
export const MEMBER_KEY = 'sk_member';

export const owner: KeyPrincipal = {
  accountId: 'acct_owner' as AccountId,
  keyId: 'key_owner' as ApiKeyId,
  role: 'owner',
};
export const member: KeyPrincipal = {
  accountId: 'acct_member' as AccountId,
  keyId: 'key_member' as ApiKeyId,
  role: 'member',
};

function account({ accountId, role }: Principal, name: string): Account {
  return { id: accountId, name, email: `${name}@example.org`, role, createdAt: NOW, updatedAt: NOW };
}

export function fakeAccounts(): Omit<Accounts, 'bootstrap' | 'endAccess'> {
  const byKey = new Map([
    [OWNER_KEY, owner],
    [MEMBER_KEY, member],
  ]);
  const accounts = [account(owner, 'olga'), account(member, 'mike')];
  const keyIds = (principal: Principal): ApiKeyId[] =>
    [...byKey.values()]
      .filter(({ accountId }) => accountId === principal.accountId)
      .map(({ keyId }) => keyId);
  return {
    authenticateKey: async (presented) => byKey.get(presented),
    issueToken: async (presented) =>
      byKey.has(presented)
        ? { token: new Secret(`token:${presented}`), expiresAt: NOW + 86_400_000 }
        : undefined,
    issueTokenFor: async () => ({ token: new Secret(`token:${OWNER_KEY}`), expiresAt: NOW + 86_400_000 }),
    isLiveKey: (keyId) => [...byKey.values()].some((one) => one.keyId === keyId),
    findByIdentity: async () => undefined,
    linkIdentity: async () => undefined,
    signUp: async (_identity, { name }) => ({ account: account(member, name), apiKey: new Secret('sk_new') }),
    verifyToken: async (presented) => byKey.get(presented.replace('token:', '')),
    async unlock(presented) {
      const principal = byKey.get(presented.replace('token:', ''));
      return (
        principal && {
          accountId: principal.accountId,
          accountKey: new Secret(Buffer.alloc(32, principal.accountId)),
        }
      );
    },
    get: async (id) => accounts.find((one) => one.id === id) ?? account(owner, 'nobody'),
    update: async ({ accountId }, { name, email }) => ({
      ...account(accountId === member.accountId ? member : owner, name),
      email,
    }),
    list: async () => accounts,
    async create(_principal, { name, email }) {
      if (accounts.some((one) => one.email === email)) {
        throw new PlatformError({ kind: 'already_exists', code: 'accounts.email_taken', message: 'Taken.' });
      }
      const created = { ...account(member, name), id: `acct_${name}` as AccountId, email };
      accounts.push(created);
      return { account: created, apiKey: new Secret('sk_new') };
    },
    listKeys: async (principal) => keyIds(principal).map((id) => ({ id, createdAt: NOW })),
    async createKey({ accountId }: Holder) {
      const info = { id: `key_${byKey.size}` as ApiKeyId, createdAt: NOW };
      byKey.set('sk_second', { ...(accountId === member.accountId ? member : owner), keyId: info.id });
      return { info, apiKey: new Secret('sk_second') };
    },
    async revokeKey(principal, keyId) {
      const ids = keyIds(principal);
      if (!ids.includes(keyId)) throw notFound('api key');
      if (ids.length === 1) {
        throw new PlatformError({ kind: 'failed_precondition', code: 'accounts.last_key', message: 'Last.' });
      }
      for (const [key, one] of byKey) if (one.keyId === keyId) byKey.delete(key);
    },
  };
}

/** One version that takes and gives JSON with non-ASCII text, union types and every optional document. */
export function greeter(over: Partial<LibraryFunction> = {}): LibraryFunction {
  const id = `greeter-d4hq7r3c1ab2cd3ef4gh-2-s` as DeploymentId;
  const functionId = 'fn_greeter' as FunctionId;
  const schema = { type: 'object', properties: { greeting: { type: 'string', description: 'grüßt' } } };
  return {
    id: functionId,
    shortname: 'greeter',
    name: 'Greeter',
    description: 'Says hello',
    ownerName: 'olga',
    mine: true,
    active: true,
    published: false,
    createdAt: NOW,
    updatedAt: NOW,
    tags: ['template', 'api'],
    ai: true,
    versions: [
      {
        version: 2,
        releasedAt: NOW,
        runtimeDetail: 'Node 24.21.0',
        readme: '# Größe',
        changelogText: 'Changelog',
        changelog: { date: '11/23/26', added: '- ü', updated: '', removed: '' },
        statistics: { invocations: 3, failures: 1, avgDurationMs: 4.5 },
        spec: {
          name: 'Greeter',
          shortname: 'greeter',
          runtime: 'nodejs24',
          entrypoint: 'Example',
          description: 'Says hello',
          tags: ['template', 'api'],
          ai: true,
          requestType: 'POST',
          queryParams: [{ name: 'name', required: true, description: 'who', exampleData: 'name=foo' }],
          input: {
            type: 'JSON',
            schema: { type: 'object', properties: { nick: { type: ['string', 'null'] } } },
            example: '{"nick":"ö"}',
            description: '',
          },
          output: { type: 'JSON', schema, example: '', description: '' },
          sizes: ['s'],
          egress: ['api.example.com'],
          timeoutSeconds: 60,
          corsOrigins: [],
        },
        deployments: [
          {
            id,
            functionId,
            ownerId: owner.accountId,
            shortname: 'greeter',
            version: 2,
            size: 's',
            runtime: 'nodejs24',
            layer: null,
            entrypoint: 'Example',
            published: false,
            egress: ['api.example.com'],
            timeoutMs: 60_000,
            corsOrigins: [],
          },
        ],
      },
    ],
    ...over,
  };
}

export function fakeConsole(): Console & {
  readonly sinks: Map<string, (line: ConsoleLine) => void>;
  readonly attached: Promise<void>;
  readonly detached: Promise<void>;
} {
  const sinks = new Map<string, (line: ConsoleLine) => void>();
  const attached = Promise.withResolvers<void>();
  const detached = Promise.withResolvers<void>();
  return {
    sinks,
    attached: attached.promise,
    detached: detached.promise,
    attach(ownerId, functionId, sink) {
      const key = `${ownerId}/${functionId}`;
      sinks.set(key, sink);
      attached.resolve();
      return () => {
        sinks.delete(key);
        detached.resolve();
      };
    },
  };
}

export function fakeCalls(): Pick<CallStore, 'list' | 'durations'> & {
  readonly rows: Map<string, CallRecord[]>;
} {
  const rows = new Map<string, CallRecord[]>();
  return {
    rows,
    list: async (accountId, day, limit) =>
      (rows.get(day) ?? []).filter((row) => row.accountId === accountId).slice(0, limit),
    durations: async (accountId, day, functionId) =>
      (rows.get(day) ?? [])
        .filter((row) => row.accountId === accountId && row.functionId === (functionId ?? row.functionId))
        .map(({ durationMs, ok }) => ({ durationMs, ok, calls: 1 })),
  };
}

export const fakeRuntimes: ControlPlaneOptions['runtimes'] = [
  { id: 'nodejs24', available: true, detail: 'Node 24.21.0' },
  { id: 'java21', available: false, detail: 'Install a JDK 17 or newer.' },
];

export const fakeProfile: ControlPlaneOptions['profile'] = {
  of: async (accountId) => [
    {
      store: 'accounts',
      table: 'account',
      count: 1,
      columns: [
        { name: 'id', withheld: null },
        { name: 'hmac', withheld: 'hash' },
      ],
      rows: [[accountId, { bytes: 32 }]],
    },
    {
      store: 'calls',
      table: 'call',
      count: 2,
      columns: [],
      rows: [],
      days: [{ day: '2026-11-23', count: 2 }],
    },
  ],
};

const fakeRestore = {
  id: 'rst_00000000000000000001' as RestoreId,
  generation: 1,
  reason: 'the disk broke',
  requestedBy: owner.keyId,
  requestedAt: NOW,
  approvedBy: null,
  approvedAt: null,
  executedAt: null,
  receipt: null,
};

export const fakeBackups: NonNullable<ControlPlaneOptions['backups']> = {
  make: async () => ({ generation: 1, at: NOW, files: 3, bytes: 300, newBytes: 100 }),
  list: async () => [{ generation: 1, at: NOW, until: NOW, isPresent: true }],
  verify: async () => ({
    generation: 1,
    files: 3,
    bytes: 300,
    stores: 2,
    findings: [{ code: 'file', path: 'accounts/accounts.db' }],
  }),
  requestRestore: async () => fakeRestore,
  approveRestore: async () => ({ ...fakeRestore, approvedAt: NOW }),
  restores: async () => [fakeRestore],
  log: async () => ({
    isIntact: true,
    entries: [
      {
        number: 1,
        at: NOW,
        event: 'made',
        actor: null,
        generation: 1,
        outcome: 'ok',
        reason: null,
        hash: Buffer.alloc(32),
      },
    ],
  }),
  lastCopyUntil: async () => NOW,
  whileNone: async (work) => await work(),
};

export const fakeKeyRotation: ControlPlaneOptions['keyRotation'] = {
  ofInstallation: async () => ({ rootGeneration: 2, wraps: 9, stores: 4, backup: null, receipt: 'a.b.c' }),
  ofAccount: async () => ({
    wraps: 3,
    databases: 2,
    conversations: true,
    knowledge: 1,
    code: 4,
    receipt: 'a.b.c',
  }),
};

export const fakeStatement: ControlPlaneOptions['privacy'] = {
  version: '1.2.3',
  facts: {
    controller: null,
    hasSwap: false,
    modelSources: [],
    sandbox: 'bubblewrap',
    callRetentionDays: 30,
    tokenHours: 24,
    sessionHours: 12,
    signInProvider: null,
    mailServer: null,
    backupStore: null,
    backupDays: null,
    models: [{ use: 'chat', name: 'own', isOutside: false, retention: 'none' }],
    receiptKeys: '/.well-known/jellyfaas-receipts',
  },
  recipients: [{ kind: 'package-registry', name: null, retention: null }],
  useCases: [
    {
      id: 'calls',
      title: { en: 'Calls', de: 'Aufrufe' },
      clauses: [{ id: 'P5', text: { en: 'A record.', de: 'Ein Eintrag.' }, limit: null, open: null }],
    },
  ],
};

export const fakeContract: ControlPlaneOptions['privacyContract'] = {
  signed: { payload: 'e30', protected: 'e30', signature: 'AAAA' },
  page: { html: '<!doctype html><title>Contract</title>', styleHash: "'sha256-style'" },
  dataMap: '{"@context":{}}',
  record: '# Record',
};
