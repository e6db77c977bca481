import type { LayerId } from '../kernel/ids.ts';
import type { JailBind, Scratch } from '../sandbox/jail.ts';
import type { BuildRequest } from './language.ts';
import type { LayerIndex } from './layer-store.ts';
import { inputKey } from './input-key.ts';
import { asLayer, type NodeDependencies } from './node-manifest.ts';
import { findNpm, type NodeRuntime } from './node-runtimes.ts';
import { resolveLayer } from './resolve-layer.ts';
import type { Toolbox } from './toolbox.ts';

export const NODE_DIRECTORY = '/opt/jellyfaas/node/bin';
export const NODE = `${NODE_DIRECTORY}/node`;
/** Above /app, so that code resolves its packages there by Node's own rules. */
export const NODE_MODULES = '/node_modules';

const NPM_DIRECTORY = '/opt/jellyfaas/npm';
const PROJECT = 'project';
const SCRATCH_MIB = 1024;
const MEMORY_MIB = 1536;

/** The part of a build that concerns its packages. */
export interface LayerBuild extends Pick<BuildRequest, 'signal' | 'onProgress'> {
  readonly index: LayerIndex;
}
export type NodeLayers = (
  runtime: NodeRuntime,
  dependencies: NodeDependencies,
  build: LayerBuild,
) => Promise<LayerId>;

export function nodeBind(runtime: NodeRuntime): JailBind {
  return { source: runtime.binary, target: NODE };
}

/** Gives the layer of some dependencies; npm installs in the jail what was not installed before. */
export function createNodeLayers(toolbox: Toolbox): NodeLayers {
  const npm = findNpm();
  return (runtime, dependencies, build) => {
    async function install(scratch: Scratch): Promise<void> {
      await scratch.write(dependencies.files, PROJECT);
      const registry = await toolbox.registries.npm();
      await toolbox.runStep({
        name: 'npm',
        argv: [NODE, `${NPM_DIRECTORY}/bin/npm-cli.js`, ...dependencies.npmArguments, '--omit=dev'],
        env: { ...NPM_ENV, ...registry.env },
        binds: [nodeBind(runtime), { source: npm.directory, target: NPM_DIRECTORY }],
        scratch,
        cwd: `/work/${PROJECT}`,
        hosts: registry.hosts,
        memoryMib: MEMORY_MIB,
        signal: build.signal,
        onProgress: build.onProgress,
      });
    }
    return resolveLayer(toolbox, {
      index: build.index,
      inputKey: inputKey(
        [runtime.id, runtime.version, npm.version, ...dependencies.npmArguments],
        dependencies.files,
      ),
      scratchMib: SCRATCH_MIB,
      below: `${PROJECT}/node_modules`,
      mountedAt: NODE_MODULES,
      arrange: (entries) => asLayer(entries, `/work/${PROJECT}`),
      install,
      onProgress: build.onProgress,
    });
  };
}

const NPM_ENV = {
  HOME: '/work',
  PATH: `${NODE_DIRECTORY}:/usr/bin:/bin`,
  npm_config_cache: '/work/.npm',
  // Its errors would name a log file that is gone with the scratch.
  npm_config_logs_max: '0',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_progress: 'false',
  npm_config_update_notifier: 'false',
};
