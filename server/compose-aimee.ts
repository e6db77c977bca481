import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { queryLimits } from './ai/limits.ts';
import type { FunctionTools } from './ai/function-tool.ts';
import { type Aimee, createAimee } from './aimee/create-aimee.ts';
import type { SiteCatalogue } from './aimee/customer-store.ts';
import { type Customers, createCustomers } from './aimee/customers.ts';
import { aimeeLimits } from './aimee/limits.ts';
import { createSmtpTransport } from './aimee/smtp.ts';
import type { Recorder } from './calls/recorder.ts';
import type { DataEngines } from './compose-data.ts';
import type { Config } from './config.ts';
import type { AimeeParts } from './gateway/aimee/parts.ts';
import { createWidgetFiles } from './gateway/aimee/widget-files.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { Receipts } from './keys/receipts.ts';
import type { Models } from './models/chat-model.ts';
import { guarded } from './rights/guarded.ts';
import type { Restriction } from './rights/restriction.ts';
import type { Inventory } from './profile/inventory.ts';
import { hostNetwork } from './sandbox/egress-guard.ts';
import { openCustomerStore, openSiteCatalogue } from './stores/aimee-store.ts';
import { databaseFiles } from './stores/rekey.ts';
import type { RotatableStore } from './stores/ring-store.ts';
import { vectorLimits } from './vectors/limits.ts';

/** What `web/widget/build.ts` makes. */
const BUILT_WIDGET = fileURLToPath(new URL('../web/widget/dist', import.meta.url));

export interface AimeeStoresComposition {
  /** `<dataDir>/aimee`. */
  readonly directory: string;
  readonly keyRing: KeyRing;
  readonly events: EventLog;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
}

export interface AimeeStores {
  readonly catalogue: SiteCatalogue & RotatableStore;
  readonly customers: Customers;
  readonly inventories: readonly Inventory[];
}

/** The catalogue of sites, and customers' own files behind it. */
export async function openAimeeStores(parts: AimeeStoresComposition): Promise<AimeeStores> {
  const { directory, keyRing, events, lifecycle } = parts;
  const catalogue = await openSiteCatalogue({ path: join(directory, 'sites.db'), keyRing, events });
  lifecycle.onClose('AI.Mee sites', () => catalogue.close());
  const customers = createCustomers({
    ...parts,
    openStore: (file) => openCustomerStore({ ...file, events }),
    limits: aimeeLimits,
  });
  lifecycle.onClose('AI.Mee customers', () => customers.close());
  const own: Inventory = {
    of: async (accountId, rowsMax) =>
      (await customers.find(accountId, (store) => store.inventory.of(accountId, rowsMax))) ?? [],
  };
  return { catalogue, customers, inventories: [catalogue.inventory, own] };
}

export interface AimeeComposition {
  readonly config: Config;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
  readonly stores: AimeeStores;
  readonly keyRing: KeyRing;
  readonly restriction: Restriction;
  readonly receipts: Receipts;
  readonly engines: DataEngines;
  readonly recorder: Recorder;
  readonly models: Models;
  readonly tools: FunctionTools;
  readonly originIp: AimeeParts['originIp'];
}

export interface ComposedAimee extends AimeeParts {
  readonly service: Aimee;
}

/** Assistants on customers' sites. */
export async function composeAimee(parts: AimeeComposition): Promise<ComposedAimee> {
  const { config, lifecycle, stores, engines, originIp } = parts;
  const service = await createAimee({
    ...parts,
    ...stores,
    ...engines,
    files: databaseFiles,
    network: hostNetwork,
    mail: config.smtp && createSmtpTransport(config.smtp),
    settings: config,
    limits: aimeeLimits,
    vectorLimits,
    queryLimits,
  });
  lifecycle.onClose('AI.Mee', () => service.close());
  return {
    service: restricted(service, parts.restriction),
    widget: createWidgetFiles(BUILT_WIDGET),
    originIp,
  };
}

/** Asked before anything begins: an act of several steps is not refused after its first. */
function restricted(service: Aimee, restriction: Restriction): Aimee {
  const { sites, knowledge, crawls, conversations, purges, visitorRequests, grants } = service;
  return {
    ...service,
    sites: guarded(sites, restriction),
    knowledge: guarded(knowledge, restriction),
    crawls: guarded(crawls, restriction),
    conversations: guarded(conversations, restriction),
    purges: guarded(purges, restriction),
    visitorRequests: guarded(visitorRequests, restriction),
    grants: guarded(grants, restriction),
    deleteSite: (accountId, siteId) => guarded(service, restriction).deleteSite(accountId, siteId),
  };
}
