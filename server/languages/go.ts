import { FUNCTION_ENV } from './function-env.ts';
import { createGoBuild } from './go-build.ts';
import { findGo, type GoToolchain } from './go-toolchain.ts';
import type { BuildRequest, BuiltFunction, WorkerPlan } from './language.ts';
import { unavailableLanguage } from './runtime-unavailable.ts';
import { sharedBase, type PreparableLanguage } from './shared-base.ts';
import type { Toolbox } from './toolbox.ts';

const RUNTIME = 'go122';
const LAUNCHER = '/opt/jellyfaas/launcher';
const ADVICE =
  'Install Go 1.22 or later, so that go is on the PATH of the server or at /usr/local/go/bin/go.';

/** Without the name by which Google's framework knows Cloud Run: it would print an empty line at each call. */
const { K_SERVICE: _cloudRun, ...GO_ENV } = FUNCTION_ENV;

/** Go serves each call in a goroutine of its own. */
const CONCURRENCY = 80;
const MEMORY_MIB_MIN = 64;

/**
 * Go functions: one static executable each, compiled from the base layer and a dependency layer that serve the
 * compiler only. A worker holds nothing but the launcher, which becomes the function at the claim; so all Go
 * functions share the same pre-booted workers, and their layer is null.
 */
export function createGoLanguage(toolbox: Toolbox, go = findGo()): PreparableLanguage {
  return go === undefined ? unavailableLanguage(RUNTIME, ADVICE) : withGo(toolbox, go);
}

function withGo(toolbox: Toolbox, go: GoToolchain): PreparableLanguage {
  const detail = `Go ${go.version}`;
  const steps = createGoBuild(toolbox, go);
  const baseLayer = sharedBase((signal) => steps.baseLayer({ signal, onProgress: () => {} }));

  async function build(request: BuildRequest): Promise<BuiltFunction> {
    const base = await baseLayer();
    const dependencies = await steps.dependencyLayer(request, base);
    const code = await steps.compile(request, { base, dependencies });
    return { code, layer: null, runtimeDetail: detail };
  }

  async function worker(): Promise<WorkerPlan> {
    const base = toolbox.layers.path(await baseLayer());
    return {
      argv: [LAUNCHER],
      env: GO_ENV,
      binds: [{ source: `${base}/launcher`, target: LAUNCHER }],
      preboot: true,
      concurrency: CONCURRENCY,
      memoryMibMin: MEMORY_MIB_MIN,
    };
  }

  return {
    runtimes: [{ id: RUNTIME, available: true, detail }],
    build,
    worker,
    prepare: async () => void (await baseLayer()),
  };
}
