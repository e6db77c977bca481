import { defineConfig } from 'vitest/config';
import { CLAUSES } from './server/privacy/registry.ts';
import { BoundTests } from './tools/bound-tests.ts';

/** The default of a second is not enough where two cores have more to do. What comes to pass is seen no later for it. */
const POLL = { timeout: 15_000 };

/**
 * Two projects: `unit` runs beside the code in milliseconds; `system` starts the real platform (sandboxes,
 * stores, registries, browsers). Two of its files run at a time: each waits a good part of its time for processes
 * to start, and more would only make two cores slower. Either project fails when a test that a promise is bound to
 * did not run and pass.
 */
export default defineConfig({
  test: {
    reporters: ['default', new BoundTests(CLAUSES)],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{contract,server,guest,clients,testkit,tools,web}/**/*.test.ts',
            'privacy/contract.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/*.system.test.ts'],
          testTimeout: 20_000,
          expect: { poll: POLL },
        },
      },
      {
        test: {
          name: 'system',
          include: ['{acceptance,hostile,privacy}/**/*.test.ts', 'server/**/*.system.test.ts'],
          // It reads sources and schemas, and starts nothing.
          exclude: ['**/node_modules/**', 'privacy/contract.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: POLL },
          maxWorkers: 2,
          globalSetup: ['testkit/shared-platform.ts'],
        },
      },
    ],
  },
});
