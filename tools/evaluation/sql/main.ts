import { parseArgs } from 'node:util';
import { systemClock } from '../../../server/kernel/clock.ts';
import { createEventLog } from '../../../server/kernel/events.ts';
import { systemScheduler } from '../../../server/kernel/scheduler.ts';
import { createEmbeddedModel } from '../../../server/models/embedded.ts';
import { createProviderModel } from '../../../server/models/provider-model.ts';
import { openTestJail } from '../../../server/sandbox/testing.ts';
import { type ChosenModel, chosenModel, usage } from '../chosen-model.ts';
import { SCHEMAS, type SqlCase, sqlCases } from './cases.ts';
import { type SqlEvaluation, evaluateSql } from './evaluate-sql.ts';

/**
 * `npm run evaluate:sql`: how well a model writes statements, by the rows that they give. The model is that of
 * `--file model.gguf` or `--url URL --name NAME`, otherwise the installation's own (JELLYFAAS_MODEL_…).
 * `-- --only SCHEMA` and `-- --limit N` ask less, `-- --verbose` names each failed question, `-- --json` prints JSON.
 */
const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    url: { type: 'string' },
    name: { type: 'string' },
    only: { type: 'string' },
    limit: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

function chosenCases(): SqlCase[] {
  const { only } = values;
  const limit = values.limit === undefined ? Infinity : Number(values.limit);
  if (!(limit >= 1)) usage('--limit wants a number of cases');
  const names = Object.keys(SCHEMAS);
  if (only !== undefined && !names.includes(only)) usage(`--only wants one of ${names.join(', ')}`);
  return sqlCases.filter(({ schema }) => only === undefined || schema === only).slice(0, limit);
}

async function run(chosen: ChosenModel, cases: readonly SqlCase[]): Promise<[string, SqlEvaluation]> {
  let done = 0;
  const onCase = ({ question }: SqlCase, fault: string | undefined): void => {
    done++;
    if (values.verbose && fault !== undefined) process.stderr.write(`${fault}: ${question}\n`);
    else if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${cases.length} `);
  };
  if ('provider' in chosen) {
    const model = createProviderModel({ config: chosen.provider });
    try {
      return [model.model, await evaluateSql(model, cases, onCase)];
    } finally {
      await model.close();
    }
  }
  const jail = await openTestJail();
  const events = createEventLog(() => undefined, Date.now);
  const parts = { jail, modelPath: chosen.file, clock: systemClock, scheduler: systemScheduler, events };
  const model = createEmbeddedModel(parts);
  try {
    return [model.model, await evaluateSql(model, cases, onCase)];
  } finally {
    await model.close();
    await jail.close();
  }
}

function report(model: string, { schemas, repaired, faults }: SqlEvaluation): string {
  const total = (field: 'cases' | 'right'): number => schemas.reduce((sum, one) => sum + one[field], 0);
  const all = { schema: 'all', cases: total('cases'), right: total('right') };
  const lines = [...schemas, all].map(
    ({ schema, cases, right }) =>
      `${schema.padEnd(8)} ${String(right).padStart(3)} of ${cases}  ${((right / cases) * 100).toFixed(1)} %`,
  );
  const told = Object.entries(faults).map(([fault, count]) => `${count} × ${fault}`);
  return [model, ...lines, `${repaired} after one repair`, ...told].join('\n');
}

const [model, evaluation] = await run(chosenModel(values), chosenCases());
const text = values.json ? JSON.stringify({ model, ...evaluation }, undefined, 2) : report(model, evaluation);
process.stdout.write(`${text}\n`);
