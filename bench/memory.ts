import { setTimeout as delay } from 'node:timers/promises';
import { templateFiles } from '../testkit/zip.ts';
import { dataDirFor, type Measurement, withPlatform } from './bench.ts';
import { cloneFunction } from './clone-function.ts';
import { residentMib } from './processes.ts';
import type { Row } from './report.ts';

const FUNCTIONS = 1000;
const IDLE_MS = 10_000;
const SHORTNAME = 'memory';

/** What the server holds while nothing happens: with nothing deployed, and with a thousand functions at zero. */
export const measureMemory: Measurement = async (bench) => {
  const functions = bench.isQuick ? FUNCTIONS / 10 : FUNCTIONS;
  const dataDir = dataDirFor(bench, 'memory');
  bench.note('memory, nothing deployed');
  const atStart = await idleMib(dataDir);
  bench.note(`memory, ${functions} functions`);
  await withPlatform(dataDir, {}, ({ client }) =>
    client.deploy('memory', templateFiles('nodejs24', { shortname: SHORTNAME })),
  );
  await cloneFunction(dataDir, SHORTNAME, functions - 1);
  return [memoryRow(functions, await idleMib(dataDir), 150), memoryRow(0, atStart)];
};

function memoryRow(functions: number, measured: number, goalMib?: number): Row {
  return {
    what: `Memory of the idle server, ${functions} functions at zero`,
    unit: 'MiB',
    measured,
    ...(goalMib !== undefined && { goal: { atMost: goalMib } }),
  };
}

function idleMib(dataDir: string): Promise<number> {
  return withPlatform(dataDir, {}, async ({ platform }) => {
    await delay(IDLE_MS);
    return residentMib(platform.pid);
  });
}
