import type { Role } from '../accounts/principal.ts';
import { type Clock, elapsedMs, momentOf } from '../kernel/clock.ts';
import type { Voucher } from './provider.ts';

export interface ProviderRoleOptions {
  /** Of the account itself. */
  readonly role: Role;
  readonly voucher: Voucher;
  readonly ownerPermission: string | undefined;
  readonly clock: Clock;
}

/** The voucher is renewed ahead of its end, so that nobody waits for it. */
const RENEWED_AHEAD_MS = 60_000;
const RETRY_MS = 15_000;

/**
 * The role of a session: that of its account, or owner while the provider's latest tokens say so. They are renewed when
 * they end, as the session is used; without new ones the permission is gone, because the provider may have taken it back.
 */
export function createProviderRole(options: ProviderRoleOptions): () => Role {
  const { role, ownerPermission, clock } = options;
  let { voucher } = options;
  let since = momentOf(clock);
  let triedAt = -Infinity;

  async function renew(): Promise<void> {
    if (voucher.renew === undefined || clock.monotonicMs() - triedAt < RETRY_MS) return;
    triedAt = clock.monotonicMs();
    try {
      voucher = await voucher.renew();
      since = momentOf(clock);
    } catch {
      // Refused, or the provider is down: what it said last counts until its end.
    }
  }

  return () => {
    if (role === 'owner' || ownerPermission === undefined) return role;
    const leftMs = voucher.goodUntil - since.wallMs - elapsedMs(clock, since);
    if (leftMs < RENEWED_AHEAD_MS) void renew();
    const isGranted = voucher.person.permissions.has(ownerPermission) && leftMs > 0;
    return isGranted ? 'owner' : role;
  };
}
