import type { LayerId } from '../kernel/ids.ts';
import type { Scratch } from '../sandbox/jail.ts';
import type { BuildStep } from './build-step.ts';
import { FUNCTION_ENV } from './function-env.ts';
import { guestFile } from './guest-files.ts';
import type { LayerIndex } from './layer-store.ts';
import { inputKey } from './input-key.ts';
import type { BuildRequest, BuiltFunction, RuntimeId, WorkerPlan, WorkerRequest } from './language.ts';
import { basePython, pythonDependencies, type PythonDependencies } from './python-requirements.ts';
import { findPython, type PythonToolchain } from './python-toolchain.ts';
import { resolveLayer } from './resolve-layer.ts';
import { unavailableLanguage } from './runtime-unavailable.ts';
import { sharedBase, type PreparableLanguage } from './shared-base.ts';
import type { Toolbox } from './toolbox.ts';

const RUNTIME: RuntimeId = 'python312';
const ADVICE = 'It needs CPython 3.11 or newer with pip: apt-get install python3 python3-pip.';
const PACKAGES = '/opt/python-packages';
const GUEST = '/opt/jellyfaas/python';
const SCRATCH_MIB = 1024;
const MEMORY_MIB = 1536;
/** Each call holds a thread while it runs. */
const CONCURRENCY = 16;
const MEMORY_MIB_MIN = 128;

const GUEST_BINDS = ['worker.py', 'warm_up.py', 'egress_forwarder.py'].map((name) => ({
  source: guestFile(`python/${name}`),
  target: `${GUEST}/${name}`,
}));

/**
 * Byte code is made once, in the layer, and its validity is never checked again; errors in files that nothing
 * imports are none of ours.
 */
const COMPILE = `
import compileall, py_compile
compileall.compile_dir('/work/packages', stripdir='/work/packages', prependdir='${PACKAGES}', quiet=2,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`;

/** Python functions, on the best CPython of this host. */
export async function createPythonLanguage(toolbox: Toolbox): Promise<PreparableLanguage> {
  const python = await findPython();
  return python === undefined ? unavailableLanguage(RUNTIME, ADVICE) : withPython(toolbox, python);
}

function withPython(toolbox: Toolbox, python: PythonToolchain): PreparableLanguage {
  const detail = `CPython ${python.version}`;

  function layerOf(dependencies: PythonDependencies, build: LayerBuild): Promise<LayerId> {
    return resolveLayer(toolbox, {
      index: build.index,
      inputKey: inputKey([RUNTIME, python.version, ...dependencies.pipRuns.flat()], dependencies.files),
      scratchMib: SCRATCH_MIB,
      below: 'packages',
      mountedAt: PACKAGES,
      install: (scratch) => install({ toolbox, python, dependencies, scratch, build }),
      onProgress: build.onProgress,
    });
  }

  const baseLayer = sharedBase((signal) => {
    return layerOf(basePython(), { index: 'base', signal, onProgress: () => {} });
  });

  async function build(request: BuildRequest): Promise<BuiltFunction> {
    const dependencies = pythonDependencies(request.source);
    const layer = dependencies.isBase
      ? await baseLayer()
      : await layerOf(dependencies, { ...request, index: request.accountId });
    return { code: request.source, layer, runtimeDetail: detail };
  }

  async function worker({ layer }: WorkerRequest): Promise<WorkerPlan> {
    const mounted = layer ?? (await baseLayer());
    return {
      argv: [python.jailedExecutable, `${GUEST}/worker.py`, String(CONCURRENCY)],
      // Unbuffered, so that the live console shows a line when it is printed.
      env: { ...FUNCTION_ENV, ...python.env, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
      binds: [...python.binds, toolbox.layerBind(mounted, PACKAGES), ...GUEST_BINDS],
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

/** The part of a build that concerns its packages. */
interface LayerBuild extends Pick<BuildRequest, 'signal' | 'onProgress'> {
  readonly index: LayerIndex;
}

interface Installation {
  readonly toolbox: Toolbox;
  readonly python: PythonToolchain;
  readonly dependencies: PythonDependencies;
  readonly scratch: Scratch;
  readonly build: LayerBuild;
}

async function install({ toolbox, python, dependencies, scratch, build }: Installation): Promise<void> {
  await scratch.write(dependencies.files, 'project');
  const registry = await toolbox.registries.pip(python.executable);
  const step = {
    env: { ...PIP_ENV, ...python.env, ...registry.env },
    binds: python.binds,
    scratch,
    cwd: '/work/project',
    memoryMib: MEMORY_MIB,
    signal: build.signal,
    onProgress: build.onProgress,
  } satisfies Partial<BuildStep>;
  for (const run of dependencies.pipRuns) {
    const argv = [
      python.jailedExecutable,
      '-m',
      'pip',
      'install',
      '--target',
      '/work/packages',
      '--no-compile',
    ];
    await toolbox.runStep({ ...step, name: 'pip', argv: [...argv, ...run], hosts: registry.hosts });
  }
  await toolbox.runStep({ ...step, name: 'compileall', argv: [python.jailedExecutable, '-c', COMPILE] });
}

const PIP_ENV = {
  HOME: '/work',
  // Large archives are unpacked here, and /tmp is small.
  TMPDIR: '/work',
  PATH: '/usr/bin:/bin',
  PIP_NO_INPUT: '1',
  PIP_NO_CACHE_DIR: '1',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_PROGRESS_BAR: 'off',
  // The same packages give the same bytes, whenever they are built.
  SOURCE_DATE_EPOCH: '315532800',
  PYTHONHASHSEED: '0',
};
