import type { TestProject } from 'vitest/node';
import { ensureWeb } from '../tools/build-web.mjs';
import { startPlatform } from './platform.ts';

/**
 * One platform for all suites that do not need their own: dependency layers are downloaded once. Suites keep
 * apart by the names of their functions.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  ensureWeb();
  const platform = await startPlatform();
  project.provide('platform', {
    url: platform.url,
    apiKey: platform.apiKey,
    dataDir: platform.dataDir,
    pid: platform.pid,
  });
  return async () => {
    const code = await platform.stop();
    const output = platform.output();
    platform.remove();
    if (code !== 0) throw new Error(`the platform ended with ${code}:\n${output}`);
  };
}

export interface SharedPlatform {
  readonly url: string;
  readonly apiKey: string;
  readonly dataDir: string;
  readonly pid: number;
}

declare module 'vitest' {
  export interface ProvidedContext {
    platform: SharedPlatform;
  }
}
