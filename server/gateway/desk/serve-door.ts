import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { getCACertificates } from 'node:tls';
import * as z from 'zod';
import { createDataPlane, type DataPlaneOptions, badToken, tokenOf } from '../data/data-plane.ts';
import { type OhttpKeysOptions, createOhttpKeys } from '../data/ohttp-keys.ts';
import { type Callable, DOOR_PATHS, type DoorError, type ModelGiven } from '../../desk/door-protocol.ts';
import type { Bearer, KnownBearer, Passes } from '../../desk/passes.ts';
import type { Functions } from '../../functions/functions.ts';
import { atMost } from '../../kernel/at-most.ts';
import { notFound, toPlatformError } from '../../kernel/errors.ts';
import type { Models } from '../../models/chat-model.ts';
import type { ProviderConfig } from '../../models/model-settings.ts';
import { parse } from '../control/bind.ts';
import { bodyTooLarge, invalidJson } from '../control/fastify-error.ts';
import { sealedTypeOf } from '../data/sealed-call.ts';
import { reportFailure } from '../errors.ts';
import { type DoorVectorsOptions, answerVectors, overTls } from './door-vectors.ts';
import { deploymentIdOf, keysAskedFor } from '../server.ts';

export interface DoorOptions
  extends
    Omit<DataPlaneOptions, 'accounts' | 'originOf' | 'passes'>,
    Pick<OhttpKeysOptions, 'pool' | 'recorder' | 'receipts'>,
    DoorVectorsOptions {
  readonly passes: Pick<Passes, 'find'>;
  readonly functions: Pick<Functions, 'lookup' | 'catalogue'>;
  readonly models: Pick<Models, 'choice' | 'select'>;
  readonly configured: readonly ProviderConfig[];
}

/**
 * What desks may ask of the platform, as whoever's request they answer and with his rights: which functions he may call,
 * those functions, sealed alone, which model is his, and his vector databases, whose contents pass sealed. Without a pass
 * everything is refused.
 */
export function createDoor(options: DoorOptions): RequestListener {
  const { passes, ...planes } = options;
  const accounts: DataPlaneOptions['accounts'] = {
    verifyToken: async (token) => passes.find(token)?.principal,
  };
  const originOf: DataPlaneOptions['originOf'] = (req) => ({
    ip: bearerOf(passes, req)?.originIp ?? '0.0.0.0',
    isBehindProxy: false,
  });
  const dataPlane = createDataPlane({ ...planes, accounts, originOf });
  const ohttpKeys = createOhttpKeys({ ...planes, accounts });
  return (req, res) => {
    const deploymentId = deploymentIdOf(req.url ?? '');
    const keysOf = keysAskedFor(req);
    if (deploymentId !== undefined && sealedTypeOf(req) !== undefined) dataPlane(req, res, deploymentId);
    else if (keysOf !== undefined) ohttpKeys(req, res, keysOf);
    else void answer(options, req, res);
  };
}

function bearerOf(passes: Pick<Passes, 'find'>, req: IncomingMessage): KnownBearer | undefined {
  const token = tokenOf(req);
  return token === undefined ? undefined : passes.find(token);
}

async function answer(options: DoorOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const bearer = bearerOf(options.passes, req);
    if (bearer === undefined) throw badToken();
    // His account may have been restricted since his request began.
    options.recorder.admit(bearer.principal.accountId);
    const given = (await answerVectors(options, bearer, req)) ?? (await answerTo(options, bearer, req));
    if (given instanceof Uint8Array) res.writeHead(200, { 'content-length': given.length }).end(given);
    else send(res, 200, given);
  } catch (thrown) {
    const error = toPlatformError(thrown);
    reportFailure(options.events, error, 'desk');
    const { kind, code, owner, message } = error;
    send(res, 409, { kind, code, owner, message } satisfies DoorError);
  }
}

const BODY_BYTES_MAX = 1_048_576;
const callableAsked = z.strictObject({ shortnames: z.array(z.string().max(100)).max(1000).optional() });
const modelAsked = z.strictObject({ platform: z.string().max(100).optional() });

async function answerTo(
  options: DoorOptions,
  { principal, fail }: KnownBearer,
  req: IncomingMessage,
): Promise<Callable[] | ModelGiven | object> {
  const asked = await bodyOf(req);
  if (req.url === DOOR_PATHS.failed) {
    fail();
    return {};
  }
  if (req.url === DOOR_PATHS.model) {
    const { platform } = parse(modelAsked, asked, 'body') as z.output<typeof modelAsked>;
    return modelOf(options, principal.accountId, platform);
  }
  if (req.url !== DOOR_PATHS.callable) throw notFound('function');
  const { functions } = options;
  const { shortnames } = parse(callableAsked, asked, 'body') as z.output<typeof callableAsked>;
  if (shortnames === undefined) return await functions.catalogue(principal);
  return await Promise.all(shortnames.map((shortname) => functions.lookup(principal, shortname)));
}

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  const bounded = Readable.toWeb(req).pipeThrough(atMost(BODY_BYTES_MAX, bodyTooLarge));
  try {
    return await json(bounded);
  } catch (thrown) {
    // The parser's own words repeat the text.
    throw thrown instanceof SyntaxError ? invalidJson() : thrown;
  }
}

async function modelOf(
  { models, configured }: DoorOptions,
  accountId: Bearer['principal']['accountId'],
  wanted: string | undefined,
): Promise<ModelGiven> {
  const { platform, model } = await models.select(accountId, wanted);
  const config = configured.find((each) => each.platform === platform);
  if (config === undefined) return { isEmbedded: true, model };
  return { isEmbedded: false, provider: overTls(config), certificates: getCACertificates('extra') };
}

function send(res: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
}
