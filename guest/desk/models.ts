import { getCACertificates } from 'node:tls';
import { ProxyAgent } from 'undici';
import { createEmbeddedModel } from '../../server/models/embedded.ts';
import { MODEL_IN_JAIL } from '../../server/models/embedded-engine.ts';
import type { ChatModel, Models } from '../../server/models/chat-model.ts';
import { createProviderModel } from '../../server/models/provider-model.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import type { EventLog } from '../../server/kernel/events.ts';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import { Secret } from '../../server/kernel/secret.ts';
import type { Provider } from '../../server/desk/door-protocol.ts';
import type { Door } from './door.ts';
import { startHere } from './start-here.ts';

const EGRESS_SOCKET = '/run/fn/egress.sock';
const CONNECT_MS = 5000;

/** The model that the door gives the caller: a provider's, over TLS from here, or the embedded one as a process beside this. */
export function createDeskModels(door: Door, events: EventLog): Pick<Models, 'select'> {
  let outside: ProxyAgent | undefined;
  const embedded = createEmbeddedModel({
    jail: { start: startHere },
    modelPath: MODEL_IN_JAIL,
    clock: systemClock,
    scheduler: systemScheduler,
    events,
  });

  function providerModel(
    { key, ...provider }: Provider,
    certificates: readonly string[],
  ): ChatModel {
    const config = { ...provider, key: key === undefined ? undefined : new Secret(key) };
    outside ??= openWayOut(certificates);
    return createProviderModel({ config, dispatcher: outside });
  }

  return {
    async select(pass, platform) {
      const given = await door.model(pass, platform === undefined ? {} : { platform });
      return given.isEmbedded
        ? { ...embedded, model: given.model }
        : providerModel(given.provider, given.certificates);
    },
  };
}

/** Tunnels through the egress proxy of the jail. */
function openWayOut(certificates: readonly string[]): ProxyAgent {
  return new ProxyAgent({
    // All connections to it are to the socket.
    uri: 'http://egress',
    proxyTls: { socketPath: EGRESS_SOCKET, timeout: CONNECT_MS },
    requestTls: { timeout: CONNECT_MS, ca: [...getCACertificates('default'), ...certificates] },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
