import type { Objections } from '../objections.ts';
import type { Restriction } from '../restriction.ts';

/** For rigs in which nobody has restricted or objected to anything. */
export const UNRESTRICTED: Pick<Restriction, 'check' | 'isRestricted'> = {
  check: () => undefined,
  isRestricted: () => false,
};
export const NO_OBJECTIONS: Pick<Objections, 'has'> = { has: () => false };
