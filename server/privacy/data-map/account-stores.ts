import { BY_RESTRICTION, REQUEST_COLUMNS, TECHNICAL, describeMigrations, describeTable } from './row.ts';

const PERSON = {
  useCase: 'sign-in',
  subject: 'account holder',
  basis: 'Art. 6(1)(b) GDPR: contract',
  recipients: [],
  exporter: 'route:getCopy',
  eraser: 'code:server/accounts/keeper.ts#erase',
  restrictor: BY_RESTRICTION,
} as const;

/** Accounts, and the keys that everything else is opened with. */
export const accountRows = [
  ...describeMigrations('accounts', 'sign-in'),
  ...describeTable({
    store: 'accounts',
    table: 'account',
    ...PERSON,
    purpose: 'Tell accounts apart and say what they may do',
    retention: 'Until the account is erased',
    columns: {
      id: 'identifier',
      role: 'settings',
      name: { category: 'name', purpose: 'Name the person to himself and to the owner of the installation' },
      email: {
        category: 'e-mail address',
        purpose: 'Name the person to himself and to the owner; link the account that a provider signs in',
      },
      created_at: { category: 'time', purpose: 'Show when the account was made' },
      updated_at: { category: 'time', purpose: 'Show when name or address were changed' },
    },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'identity',
    ...PERSON,
    purpose: 'Find the account of a person whom the identity provider signs in',
    retention: 'Until the account is erased',
    columns: { account_id: 'identifier', subject_hmac: 'keyed hash' },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'api_key',
    ...PERSON,
    purpose: 'Recognise a key, end its tokens, and give its holder alone the account key',
    retention: 'Until the key is revoked or the account is erased',
    eraser: 'route:revokeApiKey',
    columns: {
      id: 'identifier',
      account_id: 'identifier',
      created_at: 'time',
      hmac: 'keyed hash',
      epoch: 'technical',
      wrapped_account_key: 'key, wrapped',
    },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'account_model',
    ...PERSON,
    purpose: 'Answer by the model that the account chose, and know that it agreed to an outside provider',
    retention: 'Until the choice is taken back or the account is erased',
    eraser: 'route:setAiChoice',
    columns: { account_id: 'identifier', platform: 'settings' },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'tool_source',
    ...PERSON,
    purpose:
      'Ask the outside tools that the account has connected; name, address and token open with its key alone',
    retention: 'Until the source is removed or the account is erased',
    recipients: ['tool-source'],
    exporter: 'route:getCopy',
    eraser: 'route:removeToolSource',
    columns: { id: 'identifier', account_id: 'identifier', sealed: 'content, sealed' },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'rights_request',
    ...PERSON,
    purpose: 'Answer requests under the rights of the GDPR in time, and prove that they were answered',
    retention: 'Until the account is erased; of those that have ended, the newest 200',
    exporter: 'route:listRightsRequests',
    columns: {
      id: 'identifier',
      account_id: 'identifier',
      purpose: 'settings',
      by_operator: 'settings',
      missing: 'settings',
      ...REQUEST_COLUMNS,
    },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'erasure',
    ...PERSON,
    purpose: 'Finish the erasure of an account that an end of the platform has interrupted',
    retention: 'Until the erasure is finished',
    eraser: 'code:server/rights/erasure.ts#finish',
    columns: { account_id: 'identifier' },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'restriction',
    ...PERSON,
    purpose: 'Keep what the account holds and not use it, as its holder has decided',
    retention: 'Until it is lifted or the account is erased',
    columns: { account_id: 'identifier', since: 'time' },
  }),
  ...describeTable({
    store: 'accounts',
    table: 'objection',
    ...PERSON,
    purpose: 'Not use the account’s data for what its holder has objected to',
    retention: 'Until it is withdrawn or the account is erased',
    columns: { account_id: 'identifier', purpose: 'settings' },
  }),
];

export const keyRows = [
  ...describeMigrations('keys', 'sign-in'),
  ...describeTable({
    store: 'keys',
    table: 'wrapped_key',
    ...PERSON,
    purpose: 'Open what a key protects; deleting something is destroying its key',
    retention: 'As long as what it opens; destroyed before that',
    eraser: 'code:server/keys/keeper.ts#erase',
    columns: {
      resource: 'identifier',
      parent: 'identifier',
      root_generation: { ...TECHNICAL, category: 'technical' },
      wrap: {
        category: 'key, wrapped',
        exporter: 'none: a key of the installation, which opens nothing outside it',
      },
    },
  }),
  ...describeTable({
    store: 'keys',
    table: 'tombstone',
    ...TECHNICAL,
    useCase: 'backups',
    purpose:
      'Keep what was deleted from coming back with a backup; the hash names it to nobody without the key',
    retention: 'Until no backup can hold what was deleted',
    columns: { hash: 'keyed hash', at: 'time' },
  }),
];

const DEPLOYED = {
  ...PERSON,
  useCase: 'functions',
  exporter: 'route:getCopy',
  eraser: 'route:deleteFunction',
} as const;

export const functionRows = [
  ...describeMigrations('functions', 'functions'),
  ...describeTable({
    store: 'functions',
    table: 'function',
    ...DEPLOYED,
    purpose: 'Know whose function it is, how it is called and who may call it',
    retention: 'Until the function is deleted',
    columns: {
      id: 'identifier',
      account_id: 'identifier',
      shortname: 'settings',
      published: 'settings',
      last_version: 'technical',
      created_at: 'time',
      updated_at: 'time',
    },
  }),
  ...describeTable({
    store: 'functions',
    table: 'version',
    ...DEPLOYED,
    purpose:
      'Start a version, say what it was built with, and describe it in the library as its author wrote',
    retention: 'Until the version is deleted',
    columns: {
      function_id: 'identifier',
      version: 'technical',
      xid: 'identifier',
      released_at: 'time',
      layer: 'technical',
      runtime_detail: 'technical',
      digest: 'technical',
      spec: 'content',
      readme: 'content',
      changelog: 'content',
    },
  }),
  ...describeTable({
    store: 'functions',
    table: 'build',
    ...DEPLOYED,
    purpose:
      'Tell the uploader how a build went, in the words of the build tool, and resume it after a restart',
    retention:
      'Until its version is deleted, the bad build is cleaned, or ten newer ones of the function are bad',
    exporter: 'route:getCopy',
    eraser: 'route:cleanBadBuild',
    columns: {
      id: 'identifier',
      account_id: 'identifier',
      function_id: 'identifier',
      version: 'technical',
      xid: 'identifier',
      name: 'settings',
      state: 'technical',
      attempts: 'technical',
      created_at: 'time',
      error_details: 'content',
    },
  }),
];
