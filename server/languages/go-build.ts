import { readFileSync } from 'node:fs';
import type { LayerId } from '../kernel/ids.ts';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import type { Scratch } from '../sandbox/jail.ts';
import { dependencySkeleton, frameworkToAdd, pinnedFramework, withMain } from './go-source.ts';
import type { GoToolchain } from './go-toolchain.ts';
import { guestFile } from './guest-files.ts';
import { inputKey } from './input-key.ts';
import type { BuildRequest } from './language.ts';
import { readOutput } from './read-output.ts';
import type { Registry } from './registries.ts';
import { resolveLayer } from './resolve-layer.ts';
import { toolBinds } from './tool-binds.ts';
import type { Toolbox } from './toolbox.ts';

const HELPER = '/opt/jellyfaas/go/build.cjs';
const NODE = '/opt/jellyfaas/go/node';
const BASE = '/opt/jellyfaas/go-base';
const DEPENDENCIES = '/opt/jellyfaas/go-dependencies';

const SCRATCH_MIB = 1024;
const MEMORY_MIB = 2048;

type StepContext = Pick<BuildRequest, 'signal' | 'onProgress'>;

interface GoStep extends StepContext {
  readonly name: string;
  /** Arguments of guest/go/build.cjs. */
  readonly command: readonly string[];
  readonly scratch: Scratch;
  readonly base?: LayerId;
  readonly dependencies?: LayerId;
  readonly hasNetwork: boolean;
}

/** The steps of a Go build. */
export interface GoBuild {
  /**
   * What all builds start from: the launcher, and the caches of a build of the framework and of what functions
   * use most of the standard library.
   */
  baseLayer(context: StepContext): Promise<LayerId>;
  /** Module and build cache of what the function imports beyond the base. */
  dependencyLayer(request: BuildRequest, base: LayerId): Promise<LayerId>;
  /** Compiles without network to `{ function: <static executable> }`. */
  compile(request: BuildRequest, layers: { base: LayerId; dependencies: LayerId }): Promise<SourceTree>;
}

export function createGoBuild(toolbox: Toolbox, go: GoToolchain): GoBuild {
  const guest = readGuest();

  async function run(step: GoStep): Promise<void> {
    const { base, dependencies } = step;
    const registry = await toolbox.registries.go(go.command);
    await toolbox.runStep({
      ...step,
      argv: [NODE, HELPER, ...step.command],
      cwd: '/work/source',
      env: {
        ...registry.env,
        ...goEnv(go),
        ...(step.hasNetwork ? downloading(step, registry.env) : offline()),
      },
      binds: [
        { source: process.execPath, target: NODE },
        { source: guestFile('go/build.cjs'), target: HELPER },
        ...(await toolBinds(go.root)),
        ...(base === undefined ? [] : [toolbox.layerBind(base, BASE)]),
        ...(dependencies === undefined ? [] : [toolbox.layerBind(dependencies, DEPENDENCIES)]),
      ],
      memoryMib: MEMORY_MIB,
      ...(step.hasNetwork ? { hosts: registry.hosts } : {}),
    });
  }

  return {
    baseLayer: (context) =>
      resolveLayer(toolbox, {
        index: 'base',
        inputKey: inputKey(['go base', go.version, process.arch], guest.base),
        scratchMib: SCRATCH_MIB,
        below: 'layer',
        mountedAt: BASE,
        onProgress: context.onProgress,
        async install(scratch) {
          await scratch.write(guest.base);
          const name = `preparing Go ${go.version}`;
          await run({ ...context, name, command: ['base'], scratch, hasNetwork: true });
        },
      }),

    dependencyLayer(request, base) {
      const skeleton = dependencySkeleton(request.source);
      const added = frameworkToAdd(request.source, guest.framework);
      return resolveLayer(toolbox, {
        index: request.accountId,
        inputKey: inputKey(['go dependencies', base, added ?? ''], skeleton),
        scratchMib: SCRATCH_MIB,
        below: 'layer',
        mountedAt: DEPENDENCIES,
        onProgress: request.onProgress,
        async install(scratch) {
          await scratch.write(withMain(skeleton, guest.main), 'source');
          const command = ['dependencies', ...(added === undefined ? [] : [added])];
          await run({ ...request, name: 'installing modules', command, scratch, base, hasNetwork: true });
        },
      });
    },

    async compile(request, layers) {
      const scratch = await toolbox.jail.scratch(SCRATCH_MIB);
      try {
        await scratch.write(withMain(request.source, guest.main), 'source');
        const command = ['function'];
        await run({ ...request, ...layers, name: 'compiling', command, scratch, hasNetwork: false });
        return await readOutput(scratch, 'out');
      } finally {
        await scratch.dispose();
      }
    },
  };
}

function goEnv(go: GoToolchain): Record<string, string> {
  return {
    GOROOT: go.root,
    GOTOOLCHAIN: 'local',
    GOENV: 'off',
    GOWORK: 'off',
    GOTELEMETRY: 'off',
    CGO_ENABLED: '0',
    TMPDIR: '/work/tmp',
  };
}

const FLAGS = '-trimpath -buildvcs=false';

/** What the base has already is taken from there; `go.mod` and `go.sum` are completed where they lack something. */
function downloading({ base }: GoStep, registry: Registry['env']): Record<string, string> {
  const proxies = [...(base === undefined ? [] : [`file://${BASE}/mod/cache/download`]), registry['GOPROXY']];
  return {
    GOPROXY: proxies.join(','),
    GOFLAGS: `${FLAGS} -modcacherw -mod=mod`,
    GOCACHE: '/work/layer/cache',
    GOMODCACHE: '/work/layer/mod',
  };
}

function offline(): Record<string, string> {
  return {
    GOPROXY: 'off',
    GOFLAGS: `${FLAGS} -mod=readonly`,
    GOCACHE: '/work/cache',
    GOMODCACHE: `${DEPENDENCIES}/mod`,
  };
}

interface GoGuest {
  /** The project of the base layer, with the launcher. */
  readonly base: SourceTree;
  /** Source of the generated main package, `{{module}}` to be replaced. */
  readonly main: string;
  /** Version that builds without a framework get. */
  readonly framework: string;
}

function readGuest(): GoGuest {
  const read = (path: string): string => readFileSync(guestFile(`go/${path}`), 'utf8');
  const files = ['go.mod', 'go.sum', 'framework.go'];
  return {
    base: new Map([
      ...files.map((name) => [`source/${name}`, textFile(read(`framework/${name}`))] as const),
      ['launcher.go', textFile(read('launcher.go'))],
    ]),
    main: read('function.go.txt'),
    framework: pinnedFramework(read('framework/go.mod')),
  };
}
