import * as z from 'zod';

/** The error body of every compatible endpoint; `errorId` is the stable code, listed in docs/reference/errors.md. */
export const CompatibleError = z.object({
  errorId: z.string(),
  errorMessage: z.string(),
});
export type CompatibleError = z.infer<typeof CompatibleError>;

/** RFC 9457 with our extensions; the error body of every /api/v1 route. */
export const Problem = z.object({
  /** `urn:jellyfaas:error:<code>`. */
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** The same stable code as `errorId`. */
  code: z.string(),
  /** Who has to act. */
  owner: z.enum(['caller', 'function', 'provider', 'platform']),
  errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  /** Seconds, as in the `Retry-After` header. */
  retryAfter: z.int().optional(),
});
export type Problem = z.infer<typeof Problem>;
