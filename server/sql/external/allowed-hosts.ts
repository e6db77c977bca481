import ipaddr from 'ipaddr.js';
import type { EgressPolicy } from '../../sandbox/egress-policy.ts';
import { authorityOf, type Target } from './connection-string.ts';

/** Databases that may be reached though their addresses are not public: `host:port`, or CIDRs for any port. */
export type AllowedHosts = readonly string[];

/** Whether an entry of the setting can mean something. */
export function isAllowedHostEntry(entry: string): boolean {
  return isRange(entry) || /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}):\d{1,5}$/i.test(entry);
}

/** Exactly the target's host and port, and there only public addresses or what the operator opened. */
export function egressTo(target: Target, allowed: AllowedHosts): EgressPolicy {
  const authority = authorityOf(target);
  const hosts = [authority];
  if (allowed.some((entry) => entry.toLowerCase() === authority)) return { kind: 'trusted', hosts };
  return { kind: 'public', hosts, ranges: allowed.filter(isRange) };
}

function isRange(entry: string): boolean {
  return entry.includes('/') && ipaddr.isValidCIDR(entry);
}
