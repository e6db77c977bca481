import type { AccountId, LayerId } from '../kernel/ids.ts';
import { FUNCTION_ENV } from './function-env.ts';
import { guestFile } from './guest-files.ts';
import type { BuildRequest, BuiltFunction, Language, RuntimeId, WorkerPlan } from './language.ts';
import { createNodeLayers, NODE, NODE_DIRECTORY, NODE_MODULES, nodeBind } from './node-layers.ts';
import { baseDependencies, nodeDependencies, withoutInstalled } from './node-manifest.ts';
import { findNodeRuntimes, type NodeRuntime } from './node-runtimes.ts';
import { runtimeUnavailable } from './runtime-unavailable.ts';
import type { Toolbox } from './toolbox.ts';

const WORKER = '/opt/jellyfaas/node/worker.cjs';
/** Functions are mostly waiting, so one instance serves many calls side by side. */
const CONCURRENCY = 80;
const MEMORY_MIB_MIN = 128;

const GUEST_BINDS = ['node/worker.cjs', 'node/proxy-route.cjs', 'egress-forwarder.cjs'].map((path) => ({
  source: guestFile(path),
  target: `/opt/jellyfaas/${path}`,
}));

const RUNTIME_IDS: readonly RuntimeId[] = ['nodejs20', 'nodejs22', 'nodejs24'];
const INSTALL_ADVICE = 'Its Node binary is missing: install the platform again (npm start does it).';

export interface NodeLanguage extends Language {
  /** Installs the base layer of every runtime ahead of the first deploy that needs it. */
  prepare(signal: AbortSignal): Promise<void>;
}

/** Node functions, on the Node versions that the platform brings along. */
export function createNodeLanguage(toolbox: Toolbox): NodeLanguage {
  const runtimes = findNodeRuntimes();
  const layerOf = createNodeLayers(toolbox);

  function runtimeOf(id: RuntimeId): NodeRuntime {
    const found = runtimes.find((runtime) => runtime.id === id);
    if (found === undefined) throw runtimeUnavailable(id, INSTALL_ADVICE);
    return found;
  }

  function baseLayer(runtime: NodeRuntime, signal: AbortSignal): Promise<LayerId> {
    // The base layer belongs to no account, and nobody watches its installation.
    const build = { accountId: 'base' as AccountId, signal, onProgress: () => {} };
    return layerOf(runtime, baseDependencies(), build);
  }

  async function build(request: BuildRequest): Promise<BuiltFunction> {
    const runtime = runtimeOf(request.runtime);
    const layer = await layerOf(runtime, nodeDependencies(request.source), request);
    return { code: withoutInstalled(request.source), layer, runtimeDetail: `Node ${runtime.version}` };
  }

  async function worker(id: RuntimeId, layer: LayerId | null): Promise<WorkerPlan> {
    const runtime = runtimeOf(id);
    const mounted = layer ?? (await baseLayer(runtime, AbortSignal.timeout(300_000)));
    return {
      argv: [NODE, WORKER],
      env: { ...FUNCTION_ENV, NODE_ENV: 'production', PATH: NODE_DIRECTORY },
      binds: [nodeBind(runtime), toolbox.layerBind(mounted, NODE_MODULES), ...GUEST_BINDS],
      preboot: true,
      concurrency: CONCURRENCY,
      memoryMibMin: MEMORY_MIB_MIN,
    };
  }

  return {
    runtimes: RUNTIME_IDS.map((id) => {
      const found = runtimes.find((runtime) => runtime.id === id);
      const detail = found === undefined ? INSTALL_ADVICE : `Node ${found.version}`;
      return { id, available: found !== undefined, detail };
    }),
    build,
    worker,
    async prepare(signal) {
      for (const runtime of runtimes) await baseLayer(runtime, signal);
    },
  };
}
