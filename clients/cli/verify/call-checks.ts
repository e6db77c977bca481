import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type * as contract from '@jellyfaas/contract';
import type { ValidatedKey } from '../api.ts';
import { needlesFor } from '../../../privacy/harness/canary.ts';
import { found, tell } from '../../../privacy/harness/sweep.ts';
import { faultIf, fieldFaults } from './findings.ts';
import type { Installation, Part } from './installation.ts';
import type { Probe } from './probe.ts';
import { type Seen, type Visit, expectJson } from './visit.ts';

export const RECORD_FIELDS = ['day', 'functionId', 'version', 'originIp', 'durationMs', 'ok'];
/** Not stored: the server adds the name of what the id stands for. */
const NAMED_FIELDS = ['shortname', 'kind'];
const CALLS = '/api/v1/calls';
/** Records are written a moment after the answer. */
const RECORDS_WAIT_MS = 10_000;
const POLL_PAUSE_MS = 100;

/** Calls of a function, with a canary in each place of request and answer. */
export function callPart(probe: Probe): Part {
  return {
    name: 'calls',
    clauses: ['P5', 'P6'],
    async run(installation) {
      const { findings, run } = installation;
      const before = (await recordsOf(installation)).length;
      const sent = callsWithCanaries(installation);
      const answers: Seen[] = [];
      for (const visit of sent) answers.push(await call(installation, probe, visit));
      const arrived = answers.filter(({ text }) => text.includes(run.stem)).length;
      findings.check(['P6'], 'Called a function with canaries in path, query, headers, body and file', {
        faults: faultIf(
          arrived < sent.length - 1,
          'not every canary reached the function, so nothing is proved',
        ),
        observed: `${sent.length} calls with ${run.sinks.size} canaries; one failed on purpose`,
      });
      await checkRecords(installation, before + sent.length);
      await checkRefused(installation, probe);
    },
  };
}

export interface SentCall extends Visit {
  /** Below the deployment. */
  readonly path: string;
}

/** A call of the probe with a token of the throw-away account. */
export async function call(
  { nobody, guest }: Installation,
  probe: Probe,
  { path, ...visit }: SentCall,
): Promise<Seen> {
  const { token } = expectJson<ValidatedKey>(
    await guest.visit('/auth-service/v1/validate'),
    '/auth-service/v1/validate',
  );
  return await nobody(`${probe.path}${path}`, { ...visit, headers: { jfwt: token, ...visit.headers } });
}

const HEADERS = [
  'x-secret',
  'user-agent',
  'referer',
  'cookie',
  'x-forwarded-for',
  'authorization',
  'traceparent',
];

function callsWithCanaries({ run }: Installation): SentCall[] {
  const form = new FormData();
  form.set('field', run.mark('form field'));
  form.set('file', new Blob([run.mark('file content')]), `${run.mark('file name')}.pdf`);
  const headers = HEADERS.map((name) => [name, run.mark(`header ${name}`)]);
  return [
    { path: `/${run.mark('path')}?q=${run.mark('query')}` },
    { path: '', headers: Object.fromEntries([...headers, ['x-print', run.mark('console output')]]) },
    { path: '', json: { secret: run.mark('JSON body') } },
    { path: '', form },
    { path: `?fail=${run.mark('error of the function')}` },
  ];
}

async function checkRecords(installation: Installation, count: number): Promise<void> {
  const { findings } = installation;
  const records = await waitForRecords(installation, (all) => all.length >= count);
  findings.check(['P5'], 'Read the records of these calls', {
    faults: [
      ...faultIf(records.length !== count, `${count} calls left ${records.length} records`),
      ...new Set(records.flatMap((record) => fieldFaults(record, RECORD_FIELDS, NAMED_FIELDS))),
      ...faultIf(
        records.some(({ originIp }) => isIP(originIp) === 0),
        'an origin is no IP address',
      ),
    ],
    observed: `one record each, with ${RECORD_FIELDS.join(', ')} and nothing else`,
  });
}

/** Until there are those that `isComplete` wants, or it is clear that there will not be. */
export async function waitForRecords(
  installation: Installation,
  isComplete: (records: contract.Calls['calls']) => boolean,
): Promise<contract.Calls['calls']> {
  const deadline = performance.now() + RECORDS_WAIT_MS;
  for (;;) {
    const records = await recordsOf(installation);
    if (isComplete(records) || performance.now() > deadline) return records;
    await pause(POLL_PAUSE_MS);
  }
}

async function recordsOf({ guest }: Installation): Promise<contract.Calls['calls']> {
  // Two days: the check may run over midnight.
  return expectJson<contract.Calls>(await guest.visit(`${CALLS}?days=2`), CALLS).calls;
}

async function checkRefused({ nobody, run, findings }: Installation, probe: Probe): Promise<void> {
  const refused = [
    await nobody(`${probe.path}?q=${run.mark('query without token')}`),
    await nobody(probe.path, { headers: { jfwt: run.mark('bad token') } }),
    await nobody(`/${run.mark('unknown path')}`),
  ];
  findings.check(['P6', 'P13'], 'Called it without a token and with a made-up one, and a path that is none', {
    faults: refused
      .filter(({ status, text }) => status < 400 || text.includes(run.stem))
      .map(({ status }) => `answered ${status}, or with what was sent`),
    observed: `refused (${refused.map(({ status }) => status).join(', ')}), and nothing of it repeated`,
  });
}

const OWN_ANSWERS = [
  CALLS,
  '/api/v1/me',
  '/api/v1/profile',
  '/api/v1/functions',
  '/core-service/v1/library',
  '/core-service/v1/badbuilds',
];
const OWNER_ANSWERS = ['/metrics', CALLS, '/core-service/v1/library'];
const OPEN_ANSWERS = ['/health/live', '/health/ready', '/api/v1/privacy'];

const ANSWERS_CLAUSES = ['P6', 'P8', 'P14', 'P15', 'P20'];

/** After everything else: what the installation tells of all that was sent. */
export const answersPart: Part = {
  name: 'answers',
  clauses: ANSWERS_CLAUSES,
  async run({ nobody, guest, owner, run, findings }) {
    const needles = needlesFor(run.stem);
    const asked = [
      ...OPEN_ANSWERS.map((path) => ({ path, who: nobody })),
      ...OWN_ANSWERS.map((path) => ({ path, who: guest.visit })),
      ...OWNER_ANSWERS.map((path) => ({ path, who: owner })),
    ];
    const leaks = [];
    for (const { path, who } of asked) {
      const { bytes } = await who(path, { headers: { accept: '*/*' } });
      leaks.push(...found(`the answer of ${path}`, bytes, needles));
    }
    findings.check(
      ANSWERS_CLAUSES,
      'Searched records, lists, metrics and health for every canary, in all encodings',
      {
        faults: tell(leaks, run),
        observed: `none of ${run.sinks.size} canaries in ${asked.length} answers`,
      },
    );
  },
};
