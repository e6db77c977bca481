import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mayCall } from '../../calls/deployment.ts';
import type { Pool } from '../../calls/pool.ts';
import type { Recorder } from '../../calls/recorder.ts';
import { notFound } from '../../kernel/errors.ts';
import type { DeploymentId } from '../../kernel/ids.ts';
import type { Receipts } from '../../keys/receipts.ts';
import { reportFailure, writeError } from '../errors.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { type DataPlane, type DataPlaneOptions, badToken, isPreflight, tokenOf } from './data-plane.ts';

export interface OhttpKeysOptions extends Pick<DataPlaneOptions, 'accounts' | 'directory' | 'events'> {
  readonly pool: Pick<Pool, 'sealedKeys'>;
  readonly recorder: Pick<Recorder, 'admit'>;
  readonly receipts: Pick<Receipts, 'signDocument'>;
}

export const OHTTP_KEYS_PATH = '/.well-known/ohttp-keys/';
const METHODS = ['GET'];

/** Answers GET and OPTIONS of `/.well-known/ohttp-keys/<deployment id>`: the keys to which this account seals calls. */
export function createOhttpKeys(options: OhttpKeysOptions): DataPlane {
  return (req, res, deploymentId) => {
    const { origin } = req.headers;
    const cors = origin === undefined ? undefined : corsHeaders(options.directory.find(deploymentId), origin);
    if (cors !== undefined && isPreflight(req)) {
      res.writeHead(204, [...cors, ...preflightHeaders(METHODS)]).end();
      return;
    }
    for (let i = 0; i < (cors?.length ?? 0); i += 2) res.setHeader(cors?.[i] ?? '', cors?.[i + 1] ?? '');
    answer(options, { req, res, deploymentId }).catch((error: unknown) => {
      reportFailure(options.events, error, 'calls');
      writeError(res, error, 'problem');
    });
  };
}

interface Asked {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly deploymentId: string;
}

async function answer(options: OhttpKeysOptions, { req, res, deploymentId }: Asked): Promise<void> {
  const token = tokenOf(req);
  const principal = token === undefined ? undefined : await options.accounts.verifyToken(token);
  if (principal === undefined) throw badToken();
  const deployment = options.directory.find(deploymentId);
  if (deployment === undefined || !mayCall(principal.accountId, deployment)) throw notFound('deployment');
  options.recorder.admit(principal.accountId);
  options.recorder.admit(deployment.ownerId);
  const keys = await options.pool.sealedKeys(deployment, principal.accountId);
  res
    .writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': 'application/ohttp-keys',
      'cache-control': `private, max-age=${keys.freshSeconds}`,
      'content-length': keys.configs.length,
      'jellyfaas-key-signature': await signature(options.receipts, deployment.id, keys.configs),
    })
    .end(keys.configs);
}

/**
 * A compact JWS by the installation over what the keys are for and their hash. It names no time, so that whoever gets
 * the keys over two ways can compare the signatures as they are.
 */
async function signature(
  receipts: OhttpKeysOptions['receipts'],
  deployment: DeploymentId,
  configs: Buffer,
): Promise<string> {
  const sha256 = createHash('sha256').update(configs).digest('hex');
  const signed = await receipts.signDocument('jellyfaas-ohttp-keys', { deployment, sha256 });
  return `${signed.protected}.${signed.payload}.${signed.signature}`;
}
