import { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { EgressPolicy } from './egress-policy.ts';

export interface EgressProxyOptions {
  readonly policy: EgressPolicy;
  /** Where to listen. */
  readonly path: string;
  readonly events: EventLog;
}

export interface EgressProxy {
  close(): Promise<void>;
}

export async function openEgressProxy(_options: EgressProxyOptions): Promise<EgressProxy> {
  throw new PlatformError({ kind: 'unimplemented', code: 'sandbox.no_egress', message: 'Not built yet.' });
}
