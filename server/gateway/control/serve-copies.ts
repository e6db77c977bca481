import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ReceivedCopy, type TakenCopy, copyRoutes as routes } from '../../../contract/index.ts';
import type { Holder } from '../../accounts/principal.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import type { AccountId } from '../../kernel/ids.ts';
import type { GivenCopy, TakenCopy as Outcome } from '../../rights/copies.ts';
import { reportFailure } from '../errors.ts';
import { goneSignal } from './answer-stream.ts';
import { bind, fastifyPath } from './bind.ts';
import { bodyStream, handBodiesOn } from './body-stream.ts';
import type { ControlPlaneOptions, RightsParts } from './control-plane-options.ts';
import { unsupportedMedia } from './fastify-error.ts';
import { type Slots, createSlots } from './slots.ts';
import { createTextAnswer } from './text-answer.ts';

const FILE_NAME = 'jellyfaas-copy.zip';

/** The copy of an account: to take, to send elsewhere, and to take over. */
export function serveCopies(app: FastifyInstance, options: ControlPlaneOptions): void {
  const slots = createSlots({
    total: options.limits.copiesMax,
    perHolder: 1,
    code: 'rights.too_many_copies',
    what: 'copies',
  });
  serveGiving(app, options, slots);
  serveInvitations(app, options);
  void app.register(async (scope) => {
    handBodiesOn(scope, routes.importCopy.stream);
    serveTaking(scope, options, slots);
  });
}

function serveGiving(app: FastifyInstance, options: ControlPlaneOptions, slots: Slots): void {
  const { accounts, rights: parts } = options;
  bind(app, accounts, routes.getCopy, async ({ unlock, reply }) => {
    const holder = await unlock();
    const release = slots.take(holder.accountId);
    try {
      await sendCopy(options, holder, reply);
    } finally {
      release();
    }
  });
  bind(app, accounts, routes.transmitCopy, async ({ unlock, body, reply }): Promise<ReceivedCopy> => {
    const holder = await unlock();
    const release = slots.take(holder.accountId);
    try {
      const copy = parts.copies.write(holder);
      const sent = await parts.transmit(body, copy.content, goneSignal(reply));
      await noteDone(parts, holder.accountId, { otherwise: 'portability', copy });
      return { ...sent, taken: { ...sent.taken } };
    } finally {
      release();
    }
  });
}

/** What fails before the first piece is an error with a status; later the answer is cut. */
async function sendCopy(
  { rights: parts, events }: ControlPlaneOptions,
  holder: Holder,
  reply: FastifyReply,
): Promise<void> {
  const answer = createTextAnswer(reply, {
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename="${FILE_NAME}"`,
    'cache-control': 'no-store',
  });
  const copy = parts.copies.write(holder);
  try {
    for await (const piece of copy.content) await answer.write(piece as Buffer);
    await noteDone(parts, holder.accountId, { otherwise: 'access', copy });
    answer.end();
  } catch (thrown) {
    copy.content.destroy();
    if (!answer.isOpen()) throw thrown;
    reportFailure(events, thrown, 'rights');
    answer.cut();
  }
}

/** Ends what the account had asked for and now has; without any, notes that it was given. */
async function noteDone(
  { requests }: RightsParts,
  accountId: AccountId,
  { otherwise, copy }: { readonly otherwise: 'access' | 'portability'; readonly copy: GivenCopy },
): Promise<void> {
  const missing = copy.missingCount();
  const open = (await requests.list(accountId)).filter(({ endedOn }) => endedOn === null);
  const kinds = (['access', 'portability'] as const).filter((kind) =>
    open.some((request) => request.kind === kind),
  );
  for (const kind of kinds.length > 0 ? kinds : [otherwise])
    await requests.carriedOut(accountId, kind, { missing });
}

function serveInvitations(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, publicUrl } = options;
  const { invitations } = options.rights;
  bind(app, accounts, routes.inviteCopy, async ({ unlock }) => {
    const { token, expiresAt } = invitations.create(await unlock());
    const address = `${publicUrl()}${routes.receiveCopy.path}`;
    return { address, token: token.reveal(), expiresAt: rfc3339(expiresAt) };
  });
  bind(app, accounts, routes.getCopyInvitation, async ({ principal }) => {
    const found = invitations.find(principal.accountId);
    if (found === undefined) return { invitation: null };
    const outcome = found.outcome === undefined ? null : takenShown(found.outcome);
    return { invitation: { expiresAt: rfc3339(found.expiresAt), outcome } };
  });
  bind(app, accounts, routes.revokeCopyInvitation, async ({ principal }) =>
    invitations.revoke(principal.accountId),
  );
}

function serveTaking(scope: FastifyInstance, options: ControlPlaneOptions, slots: Slots): void {
  const { copies, invitations } = options.rights;
  const take = async (holder: Holder, request: FastifyRequest): Promise<Outcome> => {
    if (request.body === undefined) throw unsupportedMedia(routes.importCopy.stream);
    const release = slots.take(holder.accountId);
    try {
      return await copies.take(holder, bodyStream(request.body as Readable));
    } finally {
      release();
    }
  };

  bind(scope, options.accounts, routes.importCopy, async ({ unlock, request }) =>
    takenShown(await take(await unlock(), request)),
  );
  scope.post(fastifyPath(routes.receiveCopy), async (request): Promise<ReceivedCopy> => {
    const [, token = ''] = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '') ?? [];
    const { taken, leftCount, receipt } = await invitations.use(token, (holder) => take(holder, request));
    return { taken: { ...taken }, leftCount, receipt };
  });
}

function takenShown({ taken, left, ...rest }: Outcome): TakenCopy {
  return { ...rest, taken: { ...taken }, left: left.map((object) => ({ ...object })) };
}
