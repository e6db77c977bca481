import { join } from 'node:path';
import type { LayerId } from '../kernel/ids.ts';
import type { Jail, JailBind } from '../sandbox/jail.ts';
import { createBuildStepRunner, type RunBuildStep } from './build-step.ts';
import { openLayerStore, type LayerStore } from './layer-store.ts';
import { createRegistries, type Registries } from './registries.ts';

/** What every language builds with. */
export interface Toolbox {
  readonly jail: Jail;
  readonly layers: LayerStore;
  readonly registries: Registries;
  readonly runStep: RunBuildStep;
  /** Gives the path under which jailed uids can read a host path. */
  expose(hostPath: string): Promise<string>;
  /** Shows a layer at `target` inside a jail. */
  layerBind(id: LayerId, target: string): Promise<JailBind>;
}

export interface ToolboxOptions {
  readonly jail: Jail;
  readonly expose: (hostPath: string) => Promise<string>;
  /** Where layers lie, for example `<data>/layers`; created when missing. */
  readonly layerDirectory: string;
}

export async function openToolbox({ jail, expose, layerDirectory }: ToolboxOptions): Promise<Toolbox> {
  const layers = await openLayerStore(layerDirectory);
  return {
    jail,
    layers,
    registries: createRegistries(),
    runStep: createBuildStepRunner({ jail, expose }),
    expose,
    layerBind: async (id, target) => ({ source: join(await expose(layerDirectory), id), target }),
  };
}
