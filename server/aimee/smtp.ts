import { createTransport } from 'nodemailer';
import type { SmtpSettings } from './aimee-settings.ts';
import type { MailTransport } from './mails.ts';

const TIMEOUT_MS = 20_000;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export function createSmtpTransport({ url: secretUrl, from }: SmtpSettings): MailTransport {
  const url = new URL(secretUrl.reveal());
  const secure = url.protocol === 'smtps:';
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port);
  const isLocal = LOOPBACK.test(url.hostname);
  const transport = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure,
    // On the machine itself there is nobody between.
    requireTLS: !isLocal,
    ignoreTLS: isLocal && !secure,
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async (mail) => {
    await transport.sendMail({ ...mail, from });
  };
}
