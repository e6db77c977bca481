import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureAi } from './ai.ts';
import { measureAimee } from './aimee.ts';
import type { Bench, Measurement } from './bench.ts';
import { measureColdStart } from './cold-start.ts';
import { measureDeploy } from './deploy.ts';
import { measureGateway } from './gateway.ts';
import { startLoader } from './loader.ts';
import { measureMemory } from './memory.ts';
import { type Row, table, writeReport } from './report.ts';
import { measureSealed } from './sealed.ts';
import { measureSqlManaged } from './sql-managed.ts';
import { measureValidate } from './validate.ts';
import { measureVectors } from './vectors.ts';

/**
 * `npm run bench`: measures the real platform and writes docs/bench.md. `-- --only gateway` (may be repeated)
 * and `-- --quick` measure less, print, and leave the report alone.
 */
const REPORT = fileURLToPath(new URL('../docs/bench.md', import.meta.url));

/** Deploys first: only then are downloads a part of it. */
const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  deploy: measureDeploy,
  gateway: measureGateway,
  sealed: measureSealed,
  'cold-start': measureColdStart,
  validate: measureValidate,
  ai: measureAi,
  aimee: measureAimee,
  'sql-managed': measureSqlManaged,
  vectors: measureVectors,
  memory: measureMemory,
};

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, quick: { type: 'boolean', default: false } },
});
const names = values.only ?? Object.keys(MEASUREMENTS);
const unknown = names.filter((name) => !(name in MEASUREMENTS));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no measurement ${unknown.join(', ')}; there are ${Object.keys(MEASUREMENTS).join(', ')}.\n`,
  );
  process.exit(2);
}

const loader = startLoader();
const workDir = mkdtempSync(join(tmpdir(), 'jellyfaas-bench-'));
try {
  const bench: Bench = {
    isQuick: values.quick,
    workDir,
    loader,
    note: (what) => void process.stderr.write(`${what} …\n`),
  };
  const rows: Row[] = [];
  for (const name of names) rows.push(...((await MEASUREMENTS[name]?.(bench)) ?? []));
  process.stdout.write(`\n${table(rows)}\n`);
  if (values.only === undefined && !values.quick) writeReport(REPORT, rows);
} finally {
  loader.close();
  rmSync(workDir, { recursive: true, force: true });
}
