import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { guestFile } from './guest-files.ts';
import type { RuntimeId } from './language.ts';

export interface NodeRuntime {
  readonly id: RuntimeId;
  readonly version: string;
  /** Host path of the binary. */
  readonly binary: string;
}

export interface NpmPackage {
  readonly version: string;
  /** Host path of the package. */
  readonly directory: string;
}

/** The Node binaries that were installed with the platform; one that is missing is simply not offered. */
export function findNodeRuntimes(): NodeRuntime[] {
  const found = [installed('nodejs20', 'node20'), installed('nodejs22', 'node22'), platformNode()];
  return found.filter((runtime) => runtime !== undefined);
}

/** The npm that is pinned with the platform; the same for all Node versions. */
export function findNpm(): NpmPackage {
  const manifest = createRequire(import.meta.url).resolve('npm/package.json');
  return { version: versionIn(manifest), directory: dirname(manifest) };
}

function installed(id: RuntimeId, name: string): NodeRuntime | undefined {
  const requireFromGuest = createRequire(guestFile('runtimes/package.json'));
  try {
    const manifest = requireFromGuest.resolve(`${name}-linux-${process.arch}/package.json`);
    return { id, version: versionIn(manifest), binary: join(dirname(manifest), 'bin/node') };
  } catch {
    return undefined;
  }
}

/** The platform's own Node serves functions of its version too. */
function platformNode(): NodeRuntime | undefined {
  const { version, execPath } = process;
  return version.startsWith('v24.')
    ? { id: 'nodejs24', version: version.slice(1), binary: execPath }
    : undefined;
}

function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
