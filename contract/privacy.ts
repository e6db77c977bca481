import * as z from 'zod';
import type { Route } from './route.ts';
import { Count } from './scalars.ts';

/** What this installation promises, made from its own settings: open to everybody. */

export const BothLanguages = z.object({ en: z.string(), de: z.string() });
export type BothLanguages = z.infer<typeof BothLanguages>;

export const PrivacyClause = z.object({
  id: z
    .string()
    .regex(/^P\d{1,2}$/)
    .describe('The same in every installation and version'),
  text: BothLanguages,
  limit: BothLanguages.nullable().describe('What it does not promise'),
});

export const PrivacyRecipient = z.object({
  kind: z.enum([
    'identity-provider',
    'model',
    'embedding-model',
    'package-registry',
    'function-host',
    'tool-source',
    'sql-host',
  ]),
  name: z.string().nullable().describe('Null where accounts or functions name them'),
  retention: z
    .enum(['none', 'provider'])
    .nullable()
    .describe('What the other side keeps, as the operator declared it'),
});

export const PrivacyStatement = z.object({
  version: z.string(),
  facts: z.object({
    sandbox: z.enum(['bubblewrap', 'none']).describe('What keeps functions apart'),
    callRetentionDays: Count,
    tokenHours: z.number(),
    sessionHours: z.number(),
    signInProvider: z.string().nullable(),
    models: z.array(
      z.object({
        use: z.enum(['chat', 'embedding']),
        name: z.string(),
        isOutside: z.boolean(),
        retention: z.enum(['none', 'provider']),
      }),
    ),
    receiptKeys: z.string().describe('Path of the public key that checks receipts of deletions'),
  }),
  recipients: z.array(PrivacyRecipient).describe('Everybody outside who may get anything, and nobody else'),
  useCases: z.array(z.object({ id: z.string(), title: BothLanguages, clauses: z.array(PrivacyClause) })),
});
export type PrivacyStatement = z.infer<typeof PrivacyStatement>;

export const privacyRoutes = {
  getPrivacyStatement: {
    method: 'GET',
    path: '/api/v1/privacy',
    summary: 'What this installation keeps, for how long, and who gets what',
    access: 'open',
    success: { status: 200, content: 'json', schema: PrivacyStatement },
    errors: [],
  },
} as const satisfies Record<string, Route>;
