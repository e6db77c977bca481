import * as z from 'zod';
import { Secret } from '../kernel/secret.ts';

const hosts = z.preprocess(
  (value) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((host) => host.trim())
          .filter(Boolean)
      : value,
  z.array(z.string()),
);

/** Settings of the installation; what a customer sets for his sites lies with them. */
export const aimeeShape = {
  visitorMessagesPerMinute: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(30)
    .describe('Messages that visitors of one network (/24, or /48 of IPv6) may send to one AI.Mee site.'),
  crawlAllowedHosts: hosts
    .default([])
    .describe(
      'Hosts (`host`, or `host:port`) whose pages AI.Mee may read for their sites though they are not public.',
    ),
  smtpUrl: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe(
      'Mail server that tells customers of AI.Mee when a visitor asks for a person: `smtps://user:password@host:465`.',
    ),
  smtpFrom: z
    .string()
    .min(3)
    .max(320)
    .optional()
    .describe('Sender of these mails, for example `AI.Mee <aimee@example.com>`.'),
};

/** The mail server that the operator chose. */
export interface SmtpSettings {
  /** `smtps://user:password@host:port`; with `smtp://` the connection is encrypted before anything is sent. */
  readonly url: Secret;
  readonly from: string;
}

export type AimeeValues = z.output<z.ZodObject<typeof aimeeShape>>;

/** Undefined without a mail server. Calls `fault` for settings that cannot be used. */
export function resolveSmtp(
  { smtpUrl, smtpFrom }: Pick<AimeeValues, 'smtpUrl' | 'smtpFrom'>,
  fault: (text: string) => void,
): SmtpSettings | undefined {
  if (smtpUrl !== undefined && smtpFrom !== undefined) return { url: new Secret(smtpUrl), from: smtpFrom };
  if (smtpUrl !== smtpFrom)
    fault('smtpUrl and smtpFrom (JELLYFAAS_SMTP_URL, JELLYFAAS_SMTP_FROM) belong together: set both');
  return undefined;
}
