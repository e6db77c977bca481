import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';

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
  open: BothLanguages.nullable().describe('What of it is not kept yet'),
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
    'mail-server',
    'backup-store',
    'model-source',
    'crawled-site',
    'copy-receiver',
    'name-server',
  ]),
  name: z.string().nullable().describe('Null where accounts, functions or the machine name them'),
  retention: z
    .enum(['none', 'provider'])
    .nullable()
    .describe('What the other side keeps, as the operator declared it'),
});

export const PrivacyStatement = z.object({
  version: z.string(),
  facts: z.object({
    controller: z
      .object({ name: z.string(), contact: z.string(), dataProtectionOfficer: z.string().nullable() })
      .nullable()
      .describe('Who answers for this installation; null where the operator has not said'),
    sandbox: z.enum(['bubblewrap', 'none']).describe('What keeps functions apart'),
    hasSwap: z.boolean().describe('Whether the machine moves memory to a disk, that of the server too'),
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
    modelSources: z.array(z.string()).describe('Hosts that weights of models are fetched from'),
    mailServer: z.string().nullable().describe('Tells customers of AI.Mee of visitors who ask for a person'),
    backupStore: z.string().nullable().describe('Where backups go, if not to a directory'),
    backupDays: z
      .number()
      .nullable()
      .describe('Days after which no backup is left that was made before; null without backups'),
    receiptKeys: z.string().describe('Path of the public key that checks receipts of deletions'),
  }),
  recipients: z.array(PrivacyRecipient).describe('Everybody outside who may get anything, and nobody else'),
  useCases: z.array(z.object({ id: z.string(), title: BothLanguages, clauses: z.array(PrivacyClause) })),
});
export type PrivacyStatement = z.infer<typeof PrivacyStatement>;

/** A JWS in its flattened JSON form (RFC 7515, 7.2.2); `payload` is a `PrivacyContract`. */
export const SignedPrivacyContract = z.object({
  payload: z.string(),
  protected: z.string().describe('EdDSA, `typ` `jellyfaas-privacy-contract`, and the id of the key'),
  signature: z.string(),
});

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const PrivacyContract = PrivacyStatement.omit({ useCases: true }).extend({
  issuedAt: Time.describe('When this server started with these settings'),
  clauses: z.array(
    PrivacyClause.extend({
      useCase: z.string(),
      sha256: Sha256.describe('Of the JSON of `{text, limit}`'),
      state: z.enum(['kept', 'open']),
      modules: z.array(z.string()).describe('Files of the software that keep it'),
      tests: z.array(z.string()).describe('`file › name` of tests that attack it'),
    }),
  ),
  dataMap: z.object({
    columns: Count,
    sha256: Sha256.describe('Of the answer of this path to `Accept: application/ld+json`'),
  }),
});
export type PrivacyContract = z.infer<typeof PrivacyContract>;

export const privacyRoutes = {
  getPrivacyStatement: {
    method: 'GET',
    path: '/api/v1/privacy',
    summary: 'What this installation keeps, for how long, and who gets what',
    access: 'open',
    success: { status: 200, content: 'json', schema: PrivacyStatement },
    errors: [],
  },
  getPrivacyContract: {
    method: 'GET',
    path: '/.well-known/privacy-contract',
    summary:
      'The same, complete and signed with the key of receipts; as a page, as linked data (DPV) and as a record of processing activities where these are asked for',
    access: 'open',
    success: {
      status: 200,
      content: 'json',
      schema: SignedPrivacyContract,
      alternatives: ['text/html', 'application/ld+json', 'text/markdown'],
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;
