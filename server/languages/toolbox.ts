import type { LayerId } from '../kernel/ids.ts';
import type { Jail, JailBind } from '../sandbox/jail.ts';
import { createBuildStepRunner, type RunBuildStep } from './build-step.ts';
import { openLayerStore, type LayerStore } from './layer-store.ts';
import { createRegistries, type Registries } from './registries.ts';

/** What every language builds with. The jail makes host paths reachable for its uids by itself. */
export interface Toolbox {
  readonly jail: Jail;
  readonly layers: LayerStore;
  readonly registries: Registries;
  readonly runStep: RunBuildStep;
  /** Shows a layer at `target` inside a jail. */
  layerBind(id: LayerId, target: string): JailBind;
}

export interface ToolboxOptions {
  readonly jail: Jail;
  /** Where layers lie, for example `<data>/layers`; created when missing. */
  readonly layerDirectory: string;
  /** Asked of the tools on this machine when absent. */
  readonly registries?: Registries;
}

export async function openToolbox(options: ToolboxOptions): Promise<Toolbox> {
  const { jail } = options;
  const layers = await openLayerStore(options.layerDirectory);
  return {
    jail,
    layers,
    registries: options.registries ?? createRegistries(),
    runStep: createBuildStepRunner(jail),
    layerBind: (id, target) => ({ source: layers.path(id), target }),
  };
}
