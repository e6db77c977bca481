import type { EventLog } from '../kernel/events.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { AimeeLimits } from './limits.ts';

/** That a visitor asks for a person: his address and what he wrote to be sent, nothing of the conversation. */
export interface Request {
  readonly to: string;
  readonly siteName: string;
  readonly visitor: string;
  readonly text: string;
}

export interface Mail {
  readonly to: string;
  readonly replyTo: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends one mail, or rejects. */
export type MailTransport = (mail: Mail) => Promise<void>;

/**
 * Tells customers by mail. The queue is in memory: the request itself lies in the conversation, so a mail that is lost with
 * the process loses nothing but the hint.
 */
export interface Mails {
  send(request: Request): void;
  close(): void;
}

export interface MailsOptions {
  /** Absent where no SMTP is set up: nothing is sent then. */
  readonly transport?: MailTransport | undefined;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
  readonly limits: Pick<AimeeLimits, 'mailDelaysMs' | 'mailsMax'>;
}

export function createMails({ transport, scheduler, events, limits }: MailsOptions): Mails {
  const waiting = new Set<Timer>();

  function attempt(mail: Mail, tries: number): void {
    const delayMs = limits.mailDelaysMs[tries];
    if (transport === undefined) return;
    if (delayMs === undefined || waiting.size >= limits.mailsMax) {
      events.emit('mail.failed');
      return;
    }
    const timer = scheduler.after(delayMs, () => {
      waiting.delete(timer);
      transport(mail).catch(() => attempt(mail, tries + 1));
    });
    waiting.add(timer);
  }

  return {
    send({ to, siteName, visitor, text }) {
      const lines = [
        `A visitor of ${siteName} asks for an answer by e-mail: ${visitor}`,
        ...(text === '' ? [] : ['', text]),
        '',
        'The conversation is in the AI.Mee pages of your portal.',
      ];
      attempt(
        { to, replyTo: visitor, subject: `A visitor of ${oneLine(siteName)} asks`, text: lines.join('\n') },
        0,
      );
    },
    close() {
      for (const timer of waiting) timer.close();
      waiting.clear();
    },
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
