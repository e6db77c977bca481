import type { RequestListener } from 'node:http';
import type { Call } from '../../../calls/invoke.ts';
import { ALICE, BOB, deploymentOf } from '../../../calls/testing/rig.ts';
import { type Pass, createPasses } from '../../../desk/passes.ts';
import type { FunctionSpec } from '../../../functions/spec.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { notFound } from '../../../kernel/errors.ts';
import type { AccountId, ApiKeyId, DeploymentId } from '../../../kernel/ids.ts';
import { systemScheduler } from '../../../kernel/scheduler.ts';
import type { ChatModel } from '../../../models/chat-model.ts';
import type { ProviderConfig } from '../../../models/model-settings.ts';
import { createDoor } from '../serve-door.ts';

export interface TestDoor {
  readonly listener: RequestListener;
  /** Of Alice, who has the private function `hers`; Bob has `his`. Their ids are in `HERS` and `HIS`. */
  readonly pass: Pass;
  /** One of hers that has ended. */
  readonly ended: string;
  /** Of functions. */
  readonly calls: readonly Call[];
}

export const HERS = 'hers-00000000000000000000-1-s' as DeploymentId;
export const HIS = 'his-00000000000000000000-1-s' as DeploymentId;

/** The door before functions and models that only say what they are asked. */
export function createTestDoor(
  configured: readonly ProviderConfig[] = [],
  admit: (accountId: AccountId) => void = () => undefined,
): TestDoor {
  const deployments = [
    deploymentOf({ id: HERS, shortname: 'hers', ownerId: ALICE, published: false }),
    deploymentOf({ id: HIS, shortname: 'his', ownerId: BOB, published: false }),
  ];
  const spec = {} as FunctionSpec;
  const of = (accountId: AccountId): { deployment: (typeof deployments)[number]; spec: FunctionSpec }[] =>
    deployments.filter(({ ownerId }) => ownerId === accountId).map((deployment) => ({ deployment, spec }));
  const calls: Call[] = [];
  const passes = createPasses({ unlock: async () => undefined });
  const issue = (): Pass =>
    passes.issue(
      { principal: { accountId: ALICE, keyId: 'key_x' as ApiKeyId, role: 'member' }, originIp: '192.0.2.1' },
      'token',
    );
  const ended = issue();
  ended.end();
  const listener = createDoor({
    passes,
    configured,
    functions: {
      async lookup({ accountId }, shortname) {
        const found = of(accountId).find(({ deployment }) => deployment.shortname === shortname);
        if (found === undefined) throw notFound('function');
        return found;
      },
      catalogue: async ({ accountId }) => of(accountId),
    },
    models: {
      select: async (_accountId, platform = 'embedded') => ({ platform, model: 'm' }) as ChatModel,
      choice: async () => undefined,
    },
    embeddings: { directory: undefined, endpoint: undefined },
    databases: { open: async () => await Promise.reject(notFound('database')), list: async () => [] },
    engine: {
      sealingKey: async () => new Uint8Array(),
      sealed: async () => await Promise.reject(new Error('no database was opened')),
    },
    directory: { find: (id) => deployments.find((each) => each.id === id) },
    invoke(call, handler) {
      calls.push(call);
      handler.onStart(200, 'OK', []);
      handler.onEnd();
      return { resume: () => undefined, cancel: () => undefined };
    },
    pool: { sealedKeys: async () => ({ configs: Buffer.from('keys'), freshSeconds: 60 }) },
    recorder: { admit },
    receipts: { signDocument: async () => ({ protected: 'p', payload: 'p', signature: 's' }) },
    limits: { requestBodyBytesMax: 1000 },
    clock: systemClock,
    scheduler: systemScheduler,
    events: { emit: () => undefined, dropped: () => 0 },
  });
  return { listener, pass: issue(), ended: ended.token, calls };
}
