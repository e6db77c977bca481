import * as z from 'zod';
import texts from './clauses.json' with { type: 'json' };

/**
 * The promises of an installation in plain words, clause by clause. Ids are those of the privacy contract and never change
 * their meaning. Texts hold facts as `{{name}}`; `when` chooses between wordings by what the installation is.
 */

const BothLanguages = z.strictObject({ en: z.string().min(1), de: z.string().min(1) });
export type BothLanguages = Readonly<z.infer<typeof BothLanguages>>;

const Condition = z.enum([
  'provider',
  'no-provider',
  'sandbox',
  'no-sandbox',
  'outside-models',
  'own-models',
  'no-models',
  'backups',
  'no-backups',
]);
export type Condition = z.infer<typeof Condition>;

const Clause = z.strictObject({
  id: z.string().regex(/^P\d{1,2}$/),
  /** Absent: always. */
  when: Condition.optional(),
  text: BothLanguages,
  /** What it does not promise; a name stands for one of those that several clauses share. */
  limit: z.union([BothLanguages, z.literal('path')]).optional(),
});

const Clauses = z.strictObject({
  limits: z.strictObject({ path: BothLanguages }),
  useCases: z.array(z.strictObject({ id: z.string(), title: BothLanguages, clauses: z.array(Clause) })),
});

const { limits, useCases } = Clauses.parse(texts);
export const USE_CASES = useCases;

export function limitOf({ limit }: z.infer<typeof Clause>): BothLanguages | null {
  return limit === 'path' ? limits.path : (limit ?? null);
}
