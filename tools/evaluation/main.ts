import { parseArgs } from 'node:util';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import { createEventLog } from '../../server/kernel/events.ts';
import type { ChatModel } from '../../server/models/chat-model.ts';
import { createEmbeddedModel } from '../../server/models/embedded.ts';
import { createProviderModel } from '../../server/models/provider-model.ts';
import { openTestJail } from '../../server/sandbox/testing.ts';
import { CLASSES, type EvaluationCase, evaluationCases } from './cases.ts';
import { chosenModel, usage } from './chosen-model.ts';
import { type Evaluation, evaluate } from './evaluate.ts';

/**
 * `npm run evaluate`: how well a model calls functions, over the recorded cases; no function is run. The model is
 * that of `--file model.gguf` or `--url URL --name NAME`, otherwise the installation's own (JELLYFAAS_MODEL_…).
 * `-- --only CLASS` and `-- --limit N` ask less, `-- --json` prints the result as JSON.
 */
const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    url: { type: 'string' },
    name: { type: 'string' },
    only: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

/** What the model writes when nothing but an opening brace, which it is given, holds it to the schema. */
const ANYTHING = String.raw`root ::= "{" [^\n]* "\n"?`;

/** Arguments as the platform asks for them, and, where it can be switched, without grammar. */
interface Result {
  readonly model: string;
  readonly constrained: Evaluation;
  readonly unconstrained: Evaluation | 'not switchable';
}

function chosenCases(): EvaluationCase[] {
  const limit = values.limit === undefined ? Infinity : Number(values.limit);
  if (!(limit >= 1)) usage('--limit wants a number of cases');
  if (values.only !== undefined && !CLASSES.some((name) => name === values.only))
    usage(`--only wants one of ${CLASSES.join(', ')}`);
  return evaluationCases()
    .filter((one) => values.only === undefined || one.class === values.only)
    .slice(0, limit);
}

async function run(model: ChatModel, cases: readonly EvaluationCase[]): Promise<Evaluation> {
  return await evaluate(model, cases, (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${cases.length} `);
  });
}

async function evaluateFile(modelPath: string, cases: readonly EvaluationCase[]): Promise<Result> {
  const jail = await openTestJail();
  const parts = { jail, modelPath, clock: systemClock, scheduler: systemScheduler };
  const events = createEventLog(() => undefined, Date.now);
  const models = [
    createEmbeddedModel({ ...parts, events }),
    createEmbeddedModel({ ...parts, events, argumentsGrammar: () => ANYTHING }),
  ] as const;
  try {
    const constrained = await run(models[0], cases);
    await models[0].close();
    return { model: models[0].model, constrained, unconstrained: await run(models[1], cases) };
  } finally {
    for (const model of models) await model.close();
    await jail.close();
  }
}

async function evaluateChosen(cases: readonly EvaluationCase[]): Promise<Result> {
  const chosen = chosenModel(values);
  if ('file' in chosen) return await evaluateFile(chosen.file, cases);
  const model = createProviderModel({ config: chosen.provider });
  try {
    return { model: model.model, constrained: await run(model, cases), unconstrained: 'not switchable' };
  } finally {
    await model.close();
  }
}

const share = (part: number, of: number): string => (of === 0 ? '–' : `${((part / of) * 100).toFixed(1)} %`);

function table({ model, constrained, unconstrained }: Result): string {
  const columns = [constrained, unconstrained] as const;
  const cell = (text: (evaluation: Evaluation) => string): string[] =>
    columns.map((column) => (column === 'not switchable' ? column : text(column)));
  const sum = (of: Evaluation, field: 'right' | 'cases'): number =>
    of.classes.reduce((total, score) => total + score[field], 0);
  const rows = [
    [model, 'Cases', 'As asked by the platform', 'Without grammar'],
    ...constrained.classes.map(({ class: name, cases }, at) => [
      name,
      String(cases),
      ...cell(({ classes }) => share(classes[at]?.right ?? 0, cases)),
    ]),
    ['all', String(sum(constrained, 'cases')), ...cell((of) => share(sum(of, 'right'), sum(of, 'cases')))],
    [
      'valid arguments',
      '',
      ...cell(({ calls }) => `${share(calls.valid, calls.made)} of ${calls.made} calls`),
    ],
    [
      'faults',
      '',
      ...cell(({ faults }) =>
        Object.entries(faults)
          .map(([name, count]) => `${count} × ${name}`)
          .join(', '),
      ),
    ],
  ];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const cases = chosenCases();
const result = await evaluateChosen(cases);
process.stdout.write(`${values.json ? JSON.stringify(result, undefined, 2) : table(result)}\n`);
