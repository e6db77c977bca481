import { readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { JailBind } from '../sandbox/jail.ts';

/** Parts of a toolchain that no build reads; distributions fill them with links to shared documentation. */
const UNREAD = new Set(['docs', 'legal', 'man', 'doc', 'src.zip', 'test']);

const known = new Map<string, Promise<JailBind[]>>();

/**
 * Shows an installed toolchain in a jail under its own path. Distributions spread a toolchain over the host by
 * links (configuration in /etc, libraries in /usr/share), so what its links lead to is shown as well, each under
 * the path that the link names. Looked up once: a toolchain is replaced as a whole, and then the server restarts.
 */
export function toolBinds(home: string): Promise<JailBind[]> {
  const binds = known.get(home) ?? findBinds(home);
  known.set(home, binds);
  return binds;
}

async function findBinds(home: string): Promise<JailBind[]> {
  const targets = new Set([home]);
  for await (const link of linksBelow(home)) {
    const target = resolve(dirname(link), await readlink(link));
    const exists = await realpath(target).catch(() => undefined);
    if (exists !== undefined && !target.startsWith(`${home}/`)) targets.add(target);
  }
  return [...targets].map((target) => ({ source: target, target }));
}

async function* linksBelow(directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (UNREAD.has(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) yield path;
    else if (entry.isDirectory()) yield* linksBelow(path);
  }
}
