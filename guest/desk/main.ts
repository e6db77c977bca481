import { once } from 'node:events';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import multipart from '@fastify/multipart';
import { createQueries } from '../../server/ai/create-queries.ts';
import { queryLimits } from '../../server/ai/limits.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import type { AccountId, ApiKeyId } from '../../server/kernel/ids.ts';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import { createApp } from '../../server/gateway/control/create-app.ts';
import { serveQuestions } from '../../server/gateway/ai/serve-ai.ts';
import { gatewayLimits } from '../../server/gateway/limits.ts';
import { serveVectors } from '../../server/gateway/vectors/serve-vectors.ts';
import { Secret } from '../../server/kernel/secret.ts';
import { openDoor } from './door.ts';
import { createDeskModels } from './models.ts';
import { createDeskTools } from './tools.ts';
import { tellingFailures } from './telling-failures.ts';
import { unsealable } from './unsealable.ts';
import { createDeskVectors } from './vectors.ts';

/**
 * The worker of a desk: it answers, in a jail of its caller's own, what he sealed to the platform, with the code that
 * answers the same requests in the clear. It speaks the guest protocol as the workers of functions do, and knows its caller
 * by the pass that came with the request alone. Nothing is written anywhere.
 */
const SOCKET = '/run/fn/http.sock';
const FAILED = 70;
/** Keys stay where they were checked. */
const NO_KEY = '' as ApiKeyId;
const NOTHING = new Secret(new Uint8Array());

// What goes wrong here ends the jail without a word: a message could hold what passes through.
process.setUncaughtExceptionCaptureCallback(() => process.exit(FAILED));

const events = { emit: () => undefined, dropped: () => 0 };
const door = openDoor();
const models = createDeskModels(door, events);
const tools = createDeskTools(door);
const recording = {
  clock: systemClock,
  scheduler: systemScheduler,
  // The gateway records the sealed call.
  recorder: { admit: () => undefined, add: () => undefined, whenRoom: (proceed: () => void) => proceed() },
};

const app = createApp(
  { limits: gatewayLimits, events, sessions: undefined, asOwnAct: (_accountId, act) => act() },
  {},
);
const serving = {
  limits: gatewayLimits,
  events,
  closing: new AbortController().signal,
};
const callers = {
  authenticateKey: async () => undefined,
  verifyToken: async (pass: string) => ({ accountId: pass as AccountId, role: 'member', keyId: NO_KEY }) as const,
};
if (process.argv[2] === 'vectors') {
  void app.register(multipart);
  void app.register(async (scope) => {
    serveVectors(scope, {
      ...serving,
      accounts: { ...callers, unlock: async (pass) => ({ accountId: pass as AccountId, accountKey: NOTHING }) },
      // With its request, the leave to work for a caller ends.
      vectors: {
        originIp: () => '',
        service: createDeskVectors({ ...recording, door, models, tools }),
        endsUploads: true,
      },
    });
  });
} else {
  serveQuestions(app, {
    ...serving,
    accounts: { ...callers, unlock: () => Promise.reject(unsealable('sources')) },
    ai: {
      originIp: () => '',
      queries: tellingFailures(createQueries({ ...recording, models, tools, limits: queryLimits }), door),
    },
  });
}
// The gateway owns its connections: closing an idle one here would race with its next request.
app.server.keepAliveTimeout = 0;
await app.listen({ path: SOCKET });

const control = new Socket({ fd: 3 });
control.on('error', () => process.exit(FAILED));
control.write('{"t":"up"}\n');
const claims = createInterface({ input: control });
await once(claims, 'line');
control.write('{"t":"ready"}\n');
