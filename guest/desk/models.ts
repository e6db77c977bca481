import { createEmbeddedModel } from '../../server/models/embedded.ts';
import { MODEL_IN_JAIL } from '../../server/models/embedded-engine.ts';
import type { Models } from '../../server/models/chat-model.ts';
import type { ProviderConfig } from '../../server/models/model-settings.ts';
import { createProviderModel } from '../../server/models/provider-model.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import type { EventLog } from '../../server/kernel/events.ts';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import { Secret } from '../../server/kernel/secret.ts';
import type { Provider } from '../../server/desk/door-protocol.ts';
import type { Door } from './door.ts';
import { startHere } from './start-here.ts';
import { wayOut } from './way-out.ts';

/** The model that the door gives the caller: a provider's, over TLS from here, or the embedded one as a process beside this. */
export function createDeskModels(door: Door, events: EventLog): Pick<Models, 'select'> {
  const embedded = createEmbeddedModel({
    jail: { start: startHere },
    modelPath: MODEL_IN_JAIL,
    clock: systemClock,
    scheduler: systemScheduler,
    events,
  });

  return {
    async select(pass, platform) {
      const given = await door.model(pass, platform === undefined ? {} : { platform });
      if (given.isEmbedded) return { ...embedded, model: given.model };
      const { provider, certificates } = given;
      return createProviderModel({ config: configOf(provider), dispatcher: wayOut(certificates) });
    },
  };
}

/** The provider as its clients want it. */
export function configOf({ key, ...provider }: Provider): ProviderConfig {
  return { ...provider, key: key === undefined ? undefined : new Secret(key) };
}
