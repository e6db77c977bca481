import { FUNCTION_ENV } from './function-env.ts';
import { guestFile } from './guest-files.ts';
import type { BuildRequest, BuiltFunction, RuntimeId, WorkerPlan, WorkerRequest } from './language.ts';
import { createNodeLayers, NODE, NODE_DIRECTORY, NODE_MODULES, nodeBind } from './node-layers.ts';
import { baseDependencies, nodeDependencies, withoutInstalled } from './node-manifest.ts';
import { findNodeRuntimes, type NodeRuntime } from './node-runtimes.ts';
import { runtimeUnavailable } from './runtime-unavailable.ts';
import { sharedBase, type PreparableLanguage } from './shared-base.ts';
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

/** Node functions, on the Node versions that the platform brings along. */
export function createNodeLanguage(toolbox: Toolbox): PreparableLanguage {
  const layerOf = createNodeLayers(toolbox);
  const runtimes = findNodeRuntimes();
  // The framework is plain JavaScript, so one base layer serves all versions.
  const baseLayer = sharedBase((signal) => {
    const build = { index: 'base', signal, onProgress: () => {} } as const;
    return layerOf(runtimeOf(runtimes.at(-1)?.id ?? 'nodejs24'), baseDependencies(), build);
  });

  function runtimeOf(id: RuntimeId): NodeRuntime {
    const found = runtimes.find((runtime) => runtime.id === id);
    if (found === undefined) throw runtimeUnavailable(id, INSTALL_ADVICE);
    return found;
  }

  async function build(request: BuildRequest): Promise<BuiltFunction> {
    const runtime = runtimeOf(request.runtime);
    const dependencies = nodeDependencies(request.source);
    const layer = dependencies.isBase
      ? await baseLayer()
      : await layerOf(runtime, dependencies, { ...request, index: request.accountId });
    return { code: withoutInstalled(request.source), layer, runtimeDetail: `Node ${runtime.version}` };
  }

  async function worker({ runtime: id, layer }: WorkerRequest): Promise<WorkerPlan> {
    const runtime = runtimeOf(id);
    const mounted = layer ?? (await baseLayer());
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
    prepare: async () => void (await baseLayer()),
  };
}
