import type { LayerId } from '../kernel/ids.ts';
import type { Scratch } from '../sandbox/jail.ts';
import type { TreeEntry } from './hostile-tree.ts';
import type { LayerIndex } from './layer-store.ts';
import type { Toolbox } from './toolbox.ts';

/** How to come by the layer of one input. */
export interface LayerRequest {
  readonly index: LayerIndex;
  /** SHA-256 (hex) of everything that the result depends on. */
  readonly inputKey: string;
  readonly scratchMib: number;
  /** Directory below the scratch that becomes the layer. */
  readonly below: string;
  /** Where workers will see the layer. */
  readonly mountedAt: string;
  /** Runs the tools that fill `below`. */
  readonly install: (scratch: Scratch) => Promise<void>;
  readonly arrange?: (entries: readonly TreeEntry[]) => readonly TreeEntry[];
  readonly onProgress: (line: string) => void;
}

/** The layer of an input: looked up, or installed in a scratch of its own and taken out of it. */
export async function resolveLayer(toolbox: Toolbox, request: LayerRequest): Promise<LayerId> {
  const { layers, jail } = toolbox;
  const known = await layers.findByInput(request.index, request.inputKey);
  if (known !== undefined) {
    request.onProgress('Dependencies are unchanged.');
    return known;
  }
  request.onProgress('Installing dependencies.');
  const scratch = await jail.scratch(request.scratchMib);
  try {
    await request.install(scratch);
    const layer = await layers.take({ ...request, scratch });
    await layers.remember(request.index, request.inputKey, layer);
    return layer;
  } finally {
    await scratch.dispose();
  }
}
