import type { Deployment, DeploymentDirectory, LibraryChange, SizeCode } from '../calls/deployment.ts';
import type { DeploymentId, FunctionId } from '../kernel/ids.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { FunctionRow, RunPlan, VersionKey } from './function-store.ts';

/** Shared by the many deployments that have none, so that a function at zero costs little memory. */
const NONE: readonly string[] = Object.freeze([]);

/** The directory with its write side, for the control plane alone. */
export interface LiveDirectory extends DeploymentDirectory {
  add(deployments: readonly Deployment[]): void;
  /** Retires one version or, without `version`, all of them. */
  retire(functionId: FunctionId, version?: number): void;
  setPublished(functionId: FunctionId, published: boolean): void;
}

export function createDirectory(
  loadCode: (functionId: FunctionId, version: number) => Promise<SourceTree>,
): LiveDirectory {
  const deployments = new Map<string, Deployment>();
  const listeners: ((id: DeploymentId) => void)[] = [];
  const watchers: ((change: LibraryChange) => void)[] = [];

  function of(functionId: FunctionId, version?: number): Deployment[] {
    return [...deployments.values()].filter(
      (each) => each.functionId === functionId && (version === undefined || each.version === version),
    );
  }

  /** Changes are of one function each, so any of its deployments says whose it is. */
  function tell(changed: Deployment | undefined, isPublic = changed?.published === true): void {
    if (changed === undefined) return;
    for (const watcher of watchers) watcher({ ownerId: changed.ownerId, isPublic });
  }

  return {
    find: (id) => deployments.get(id),
    recent: (count) => [...deployments.values()].sort(newestFirst).slice(0, count),
    loadCode: (deployment) => loadCode(deployment.functionId, deployment.version),
    onRetired: (listener) => void listeners.push(listener),
    onChanged: (watcher) => void watchers.push(watcher),
    add: (added) => {
      for (const deployment of added) deployments.set(deployment.id, deployment);
      tell(added[0]);
    },
    retire: (functionId, version) => {
      const retired = of(functionId, version);
      for (const { id } of retired) {
        deployments.delete(id);
        for (const listener of listeners) listener(id);
      }
      tell(retired[0]);
    },
    setPublished: (functionId, published) => {
      const changed = of(functionId);
      for (const each of changed) deployments.set(each.id, { ...each, published });
      // Everybody saw it before, or does now.
      tell(changed[0], true);
    },
  };
}

/** Deployment ids end in `-<xid>-<version>-<size>`, and an xid begins with its creation time. */
function newestFirst(a: Deployment, b: Deployment): number {
  const xid = ({ id }: Deployment): string => id.split('-').at(-3) ?? '';
  return xid(a) < xid(b) ? 1 : -1;
}

type DeployedFunction = Pick<FunctionRow, 'id' | 'ownerId' | 'shortname' | 'published'>;

/** One deployment for each size of a version. Ids follow from the version, so no table needs to hold them. */
export function deploymentsOf(fn: DeployedFunction, version: VersionKey & RunPlan): Deployment[] {
  const { spec } = version;
  return spec.sizes.map((size) => ({
    id: deploymentId(fn.shortname, version, size),
    functionId: fn.id,
    ownerId: fn.ownerId,
    shortname: fn.shortname,
    version: version.version,
    size,
    runtime: spec.runtime,
    layer: version.layer,
    entrypoint: spec.entrypoint,
    published: fn.published,
    egress: shared(spec.egress),
    timeoutMs: spec.timeoutSeconds * 1000,
    corsOrigins: shared(spec.corsOrigins),
  }));
}

export function deploymentId(shortname: string, { xid, version }: VersionKey, size: SizeCode): DeploymentId {
  return `${shortname}-${xid}-${version}-${size}` as DeploymentId;
}

function shared(list: readonly string[]): readonly string[] {
  return list.length === 0 ? NONE : list;
}
