import { sql } from 'kysely';
import { accountResource } from '../keys/key-ring.ts';
import { type InventoryRules, type TableRule, ownedBy } from './inventory.ts';

/**
 * What of which table belongs to an account, and how its owner is told: the page of the person, and everything else that
 * has to know all that is stored of somebody, reads it here. A test holds it against the live schemas.
 */

const NOBODY = null;

export const accountInventory: InventoryRules = {
  migration: NOBODY,
  account: {
    owner: ownedBy('id'),
    columns: {
      id: 'shown',
      role: 'shown',
      name: 'shown',
      email: 'shown',
      created_at: 'shown',
      updated_at: 'shown',
    },
  },
  api_key: {
    owner: ownedBy('account_id'),
    columns: {
      id: 'shown',
      account_id: 'shown',
      created_at: 'shown',
      hmac: 'hash',
      epoch: 'shown',
      wrapped_account_key: 'key',
    },
  },
  account_model: { owner: ownedBy('account_id'), columns: { account_id: 'shown', platform: 'shown' } },
  identity: { owner: ownedBy('account_id'), columns: { account_id: 'shown', subject_hmac: 'hash' } },
  tool_source: {
    owner: ownedBy('account_id'),
    columns: { id: 'shown', account_id: 'shown', sealed: 'sealed' },
  },
  rights_request: {
    owner: ownedBy('account_id'),
    columns: {
      id: 'shown',
      account_id: 'shown',
      kind: 'shown',
      purpose: 'shown',
      by_operator: 'shown',
      missing: 'shown',
      state: 'shown',
      received_on: 'shown',
      reminder: 'shown',
      extended_on: 'shown',
      extension_reason: 'shown',
      ended_on: 'shown',
      refusal: 'shown',
      receipt: 'shown',
    },
  },
  erasure: { owner: ownedBy('account_id'), columns: { account_id: 'shown' } },
  restriction: { owner: ownedBy('account_id'), columns: { account_id: 'shown', since: 'shown' } },
  objection: { owner: ownedBy('account_id'), columns: { account_id: 'shown', purpose: 'shown' } },
};

export const functionInventory: InventoryRules = {
  migration: NOBODY,
  function: {
    owner: ownedBy('account_id'),
    columns: {
      id: 'shown',
      account_id: 'shown',
      shortname: 'shown',
      published: 'shown',
      last_version: 'shown',
      created_at: 'shown',
      updated_at: 'shown',
    },
  },
  version: {
    owner: (accountId) => sql`function_id in (select id from function where account_id = ${accountId})`,
    columns: {
      function_id: 'shown',
      version: 'shown',
      xid: 'shown',
      released_at: 'shown',
      layer: 'shown',
      runtime_detail: 'shown',
      digest: 'shown',
      spec: 'elsewhere',
      readme: 'elsewhere',
      changelog: 'elsewhere',
    },
  },
  build: {
    owner: ownedBy('account_id'),
    columns: {
      id: 'shown',
      account_id: 'shown',
      function_id: 'shown',
      version: 'shown',
      xid: 'shown',
      name: 'shown',
      state: 'shown',
      attempts: 'shown',
      created_at: 'shown',
      error_details: 'elsewhere',
    },
  },
};

export const databaseInventory: InventoryRules = {
  migration: NOBODY,
  database: {
    owner: ownedBy('account_id'),
    columns: {
      id: 'shown',
      account_id: 'shown',
      kind: 'shown',
      name_hash: 'hash',
      description: 'sealed',
      wrapped_key: 'key',
    },
  },
};

export const callInventory: InventoryRules & { readonly call: TableRule } = {
  migration: NOBODY,
  call: {
    owner: ownedBy('account_id'),
    isCounted: true,
    columns: {
      account_id: 'elsewhere',
      function_id: 'elsewhere',
      version: 'elsewhere',
      origin_ip: 'elsewhere',
      duration_ms: 'elsewhere',
      ok: 'elsewhere',
    },
  },
};

export const keyInventory: InventoryRules = {
  migration: NOBODY,
  wrapped_key: {
    owner: (accountId) => sql`(parent = ${accountId} or resource = ${accountResource(accountId)})`,
    columns: { resource: 'shown', parent: 'shown', root_generation: 'shown', wrap: 'key' },
  },
  tombstone: NOBODY,
};

/** The owner reads the log of backups whole, by a route of its own. */
export const backupInventory: InventoryRules = {
  migration: NOBODY,
  generation: NOBODY,
  restore_request: NOBODY,
  access: {
    owner: ownedBy('actor'),
    isCounted: true,
    columns: {
      number: 'elsewhere',
      at: 'elsewhere',
      event: 'elsewhere',
      actor: 'elsewhere',
      generation: 'elsewhere',
      outcome: 'elsewhere',
      reason: 'elsewhere',
      hash: 'hash',
    },
  },
};

export const siteInventory: InventoryRules = {
  migration: NOBODY,
  site: { owner: ownedBy('account_id'), columns: { id: 'shown', account_id: 'shown' } },
};

/** The customer's own file: all of it is his. */
const all: TableRule['owner'] = () => sql`true`;

export const customerInventory: InventoryRules = {
  migration: NOBODY,
  customer: { owner: all, columns: { id: 'shown', public_key: 'key' } },
  site: {
    owner: all,
    columns: {
      id: 'shown',
      created_at: 'shown',
      settings: 'elsewhere',
      knowledge_model: 'shown',
      knowledge_dimensions: 'shown',
    },
  },
  conversation: {
    owner: all,
    isCounted: true,
    columns: {
      id: 'elsewhere',
      site_id: 'elsewhere',
      reference: 'elsewhere',
      started_at: 'elsewhere',
      messages: 'elsewhere',
      unanswered: 'elsewhere',
      up: 'elsewhere',
      down: 'elsewhere',
      handed_over: 'elsewhere',
      sealed_half: 'key',
      restricted: 'elsewhere',
      objected: 'elsewhere',
    },
  },
  entry: {
    owner: all,
    isCounted: true,
    columns: {
      conversation_id: 'elsewhere',
      number: 'elsewhere',
      kind: 'elsewhere',
      answered: 'elsewhere',
      rating: 'elsewhere',
      sealed: 'sealed',
    },
  },
  note: {
    owner: all,
    isCounted: true,
    columns: { conversation_id: 'elsewhere', entry: 'elsewhere', number: 'elsewhere', sealed: 'sealed' },
  },
  visitor_request: {
    owner: all,
    isCounted: true,
    columns: {
      id: 'elsewhere',
      site_id: 'elsewhere',
      conversation_id: 'elsewhere',
      kind: 'elsewhere',
      state: 'elsewhere',
      received_on: 'elsewhere',
      reminder: 'elsewhere',
      extended_on: 'elsewhere',
      extension_reason: 'elsewhere',
      ended_on: 'elsewhere',
      refusal: 'elsewhere',
      receipt: 'elsewhere',
    },
  },
  counter: {
    owner: all,
    isCounted: true,
    columns: {
      site_id: 'elsewhere',
      day: 'elsewhere',
      conversations: 'elsewhere',
      messages: 'elsewhere',
      answered: 'elsewhere',
      unanswered: 'elsewhere',
      up: 'elsewhere',
      down: 'elsewhere',
      hand_overs: 'elsewhere',
    },
  },
  support_grant: {
    owner: all,
    columns: {
      id: 'shown',
      site_id: 'shown',
      conversations: 'elsewhere',
      reason: 'shown',
      created_at: 'shown',
      ends_at: 'shown',
      ended_at: 'shown',
      ended_by: 'shown',
    },
  },
  access: {
    owner: all,
    isCounted: true,
    columns: {
      number: 'elsewhere',
      at: 'elsewhere',
      event: 'elsewhere',
      grant_id: 'elsewhere',
      conversation_id: 'elsewhere',
      hash: 'hash',
    },
  },
};
