import { rmSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { createClient, startPlatform } from '../testkit/index.ts';
import { startCanaryRun } from './harness/canary.ts';
import { deployProbes, ordinaryCalls } from './exercise.ts';
import { inspectRunning, inspectStopped } from './inspect.ts';
import { MUTANTS, checkoutOf } from './mutants.ts';

/** Builds that leak, one way each. A harness that passes them would prove nothing about the build that it passes. */
describe('the harness catches', () => {
  for (const mutant of MUTANTS) {
    it(mutant.name, async () => {
      const startedAt = Date.now();
      const checkout = checkoutOf(mutant);
      const platform = await startPlatform({ checkout, layersOf: inject('platform').dataDir });
      try {
        const run = startCanaryRun();
        const client = createClient(platform.url, platform.apiKey);
        const { patient } = await deployProbes(client, run);
        await ordinaryCalls(client, patient, run);
        const running = await inspectRunning(platform, client, run);
        await platform.stop();
        const leaks = [...running, ...(await inspectStopped(platform, run, startedAt))];
        expect(leaks).not.toEqual([]);
      } finally {
        await platform.crash();
        platform.remove();
        rmSync(checkout, { recursive: true, force: true });
      }
    });
  }
});
