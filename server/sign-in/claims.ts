import * as z from 'zod';

/**
 * What is kept of everything that a provider tells of a person: this list, and nothing beside it. Parsing drops the rest
 * before anything else of the platform sees it.
 */
export interface ProvenPerson {
  readonly subject: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** Undefined when the provider does not say. */
  readonly isEmailVerified: boolean | undefined;
  /** Roles and permissions. */
  readonly permissions: ReadonlySet<string>;
  /** When he last proved who he is, in epoch milliseconds; undefined when the provider does not say. */
  readonly provedAt: number | undefined;
}

const Names = z
  .array(z.union([z.string(), z.object({ key: z.string() }).transform(({ key }) => key)]))
  .max(1000)
  .catch([]);
const Claims = z.object({
  sub: z.string().min(1).max(255),
  name: z.string().max(1000).optional().catch(undefined),
  email: z.string().max(254).optional().catch(undefined),
  email_verified: z.stringbool().or(z.boolean()).optional().catch(undefined),
  roles: Names.optional(),
  permissions: Names.optional(),
  auth_time: z.number().nonnegative().optional().catch(undefined),
});

/** Throws for claims without a subject. */
export function personOf(claims: unknown): ProvenPerson {
  const { sub, name, email, email_verified, roles, permissions, auth_time } = Claims.parse(claims);
  return {
    subject: sub,
    name,
    email,
    isEmailVerified: email_verified,
    permissions: new Set([...(roles ?? []), ...(permissions ?? [])]),
    provedAt: auth_time === undefined ? undefined : auth_time * 1000,
  };
}

/** What the ID token does not say may stand in the answer of the user info endpoint, of the same person. */
export function completedBy(person: ProvenPerson, other: ProvenPerson): ProvenPerson {
  if (other.subject !== person.subject) throw new Error('the provider told of somebody else');
  // An address and whether it was verified belong together.
  const addressed = person.isEmailVerified === undefined && other.email !== undefined ? other : person;
  return {
    ...person,
    name: person.name ?? other.name,
    email: addressed.email,
    isEmailVerified: addressed.isEmailVerified,
    permissions: new Set([...person.permissions, ...other.permissions]),
  };
}
