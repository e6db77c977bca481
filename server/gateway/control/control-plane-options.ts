import type { Accounts } from '../../accounts/accounts.ts';
import type { Backups } from '../../backups/backups.ts';
import type { CallStore } from '../../calls/call-record.ts';
import type { Console } from '../../calls/console.ts';
import type { Pool } from '../../calls/pool.ts';
import type { Functions } from '../../functions/functions.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { EventLog } from '../../kernel/events.ts';
import type { PublishedContract } from '../../privacy/published/contract.ts';
import type { Statement } from '../../privacy-statement/statement.ts';
import type { Copies } from '../../rights/copies.ts';
import type { Invitations } from '../../rights/invitations.ts';
import type { Erasure } from '../../rights/erasure.ts';
import type { Objections } from '../../rights/objections.ts';
import type { Restriction } from '../../rights/restriction.ts';
import type { Requests } from '../../rights/requests.ts';
import type { Transmit } from '../../rights/transmissions.ts';
import type { Profile } from '../../profile/profile.ts';
import type { KeyRotation } from '../../keys/rotation.ts';
import type { Receipts, SignedDocument } from '../../keys/receipts.ts';
import type { RuntimeStatus } from '../../languages/language.ts';
import type { AiParts } from '../ai/serve-ai.ts';
import type { AimeeParts } from '../aimee/parts.ts';
import type { GatewayLimits } from '../limits.ts';
import type { McpParts } from '../mcp/serve-mcp.ts';
import type { Metrics } from '../metrics.ts';
import type { PortalParts } from '../portal/portal-parts.ts';
import type { SqlParts } from '../sql/serve-sql.ts';
import type { VectorParts } from '../vectors/parts.ts';

/** What requests under the rights of the GDPR are answered from. */
export interface RightsParts {
  readonly requests: Omit<Requests, 'close'>;
  readonly copies: Copies;
  readonly invitations: Invitations;
  readonly transmit: Transmit;
  readonly erasure: Pick<Erasure, 'erase'>;
  readonly restriction: Pick<Restriction, 'asOwnAct' | 'since'>;
  readonly objections: Pick<Objections, 'of'>;
}

/** What the control plane answers from. */
export interface ControlPlaneOptions {
  readonly accounts: Omit<Accounts, 'bootstrap' | 'endAccess'>;
  readonly profile: Profile;
  readonly privacy: Statement;
  readonly privacyContract: Omit<PublishedContract, 'contract'> & { readonly signed: SignedDocument };
  /** Absent without a target for them. */
  readonly backups?: Omit<Backups, 'close'>;
  readonly rights: RightsParts;
  readonly keyRotation: KeyRotation;
  readonly functions: Omit<
    Functions,
    | 'copier'
    | 'pauseBuilds'
    | 'rotateKeys'
    | 'resumeBuilds'
    | 'erase'
    | 'catalogue'
    | 'directory'
    | 'recover'
    | 'close'
  >;
  readonly calls: Pick<CallStore, 'list' | 'durations'>;
  readonly pool: Pick<Pool, 'instancesOf'>;
  readonly console: Console;
  readonly ai: AiParts;
  readonly mcp: McpParts;
  readonly portal: PortalParts;
  readonly sql?: SqlParts;
  readonly vectors: VectorParts;
  readonly aimee: AimeeParts;
  /** Public JWK of the installation's receipts. */
  readonly receiptKey: Receipts['publicKey'];
  readonly runtimes: readonly RuntimeStatus[];
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  /** The platform's version, for the OpenAPI document. */
  readonly version: string;
  /** Without trailing slash; known once the server listens. */
  readonly publicUrl: () => string;
  readonly ready: () => boolean;
  /** Aborted when the server begins to drain. */
  readonly closing: AbortSignal;
}
