import type { DroppedDatabase } from '../api.ts';
import { startCanaryRun, vectorOf } from '../../../privacy/harness/canary.ts';
import { isSignedBy } from './contract-checks.ts';
import { RECORD_FIELDS, waitForRecords } from './call-checks.ts';
import { faultIf, fieldFaults } from './findings.ts';
import type { Installation, Part } from './installation.ts';
import { type Seen, expectJson } from './visit.ts';

/** One kind of database: how it is filled and read back. */
interface Kind {
  readonly name: string;
  /** As call records name work on it. */
  readonly recorded: string;
  /** Path of the collection. */
  readonly base: string;
  /** Promises about what is in it, about who opens it, and about dropping it. */
  readonly clauses: Readonly<Record<'content' | 'access' | 'drop' | 'record', readonly string[]>>;
  readonly settings: object;
  fill(installation: Installation, path: string, mark: string): Promise<void>;
  /** What the owner reads of its content. */
  read(installation: Installation, path: string): Promise<Seen>;
}

/** Numbers that spell one canary. */
const DIMENSIONS = vectorOf(startCanaryRun().mark('')).length;

const vectors: Kind = {
  name: 'vector database',
  recorded: 'vectors',
  base: '/api/v1/vectors',
  clauses: { content: ['P11', 'P14', 'P15'], access: ['P13'], drop: ['P16'], record: ['P10'] },
  settings: { dimensions: DIMENSIONS, model: null, metric: 'dot' },
  async fill({ guest }, path, mark) {
    const records = [{ id: 'one', vector: [...vectorOf(mark)], text: mark, metadata: { note: mark } }];
    expectJson(await guest.visit(`${path}/records`, { json: { records } }), `${path}/records`);
  },
  read: ({ guest, run }, path) =>
    guest.visit(`${path}/query`, { json: { vector: [...vectorOf(run.mark('searched vector'))], topK: 10 } }),
};

const sql: Kind = {
  name: 'SQL database',
  recorded: 'sql',
  base: '/api/v1/sql',
  clauses: { content: ['P20'], access: ['P13'], drop: ['P16'], record: ['P19'] },
  settings: {},
  async fill({ guest }, path, mark) {
    const statements = [
      { sql: 'create table note (text text)' },
      { sql: 'insert into note values (?)', params: [mark] },
    ];
    expectJson(await guest.visit(`${path}/batch`, { json: { statements } }), `${path}/batch`);
  },
  read: ({ guest }, path) => guest.visit(`${path}/query`, { json: { sql: 'select text from note' } }),
};

export const databasePart: Part = {
  name: 'databases',
  clauses: ['P10', 'P11', 'P13', 'P15', 'P16', 'P19', 'P20'],
  async run(installation) {
    for (const kind of [vectors, sql]) await checkKind(installation, kind);
    await checkDocument(installation);
    await checkRecords(installation);
  },
};

async function checkKind(installation: Installation, kind: Kind): Promise<void> {
  const { guest, run, findings } = installation;
  const name = run.mark(`name of a ${kind.name}`);
  const path = `${kind.base}/${name}`;
  const mark = run.mark(`content of a ${kind.name}`);
  const create = async (): Promise<Seen> =>
    await guest.visit(kind.base, { json: { name, ...kind.settings } });
  expectJson(await create(), kind.base, 201);
  await kind.fill(installation, path, mark);
  const { text } = await kind.read(installation, path);
  findings.check(kind.clauses.content, `Made the ${kind.name}, filled it and read it back`, {
    faults: faultIf(!text.includes(mark), 'what was put in does not come back, so nothing is proved'),
    observed: 'its owner reads what he put in',
  });
  await checkForeign(installation, kind, path);
  await checkDrop(installation, kind, path);
  expectJson(await create(), kind.base, 201);
  const again = await kind.read(installation, path);
  findings.check(kind.clauses.drop, `Made the ${kind.name} of the same name again`, {
    faults: faultIf(again.text.includes(run.stem), 'content of the dropped one is in it'),
    observed: 'it is empty',
  });
  // It stays until the end, so that there is something to find on the machine.
  await kind.fill(installation, path, run.mark(`content of a second ${kind.name}`));
}

/** Somebody else, and be it the owner of the installation, learns not even that there is one. */
async function checkForeign({ owner, run, findings }: Installation, kind: Kind, path: string): Promise<void> {
  const none = `${kind.base}/${run.mark('name of no database')}`;
  const [foreign, missing] = [await owner(path), await owner(none)];
  const same = foreign.text.replaceAll(path, '').length === missing.text.replaceAll(none, '').length;
  findings.check(kind.clauses.access, `Asked for the ${kind.name} with a key of the installation’s owner`, {
    faults: [
      ...faultIf(foreign.status !== 404, `answered ${foreign.status}`),
      ...faultIf(
        missing.status !== foreign.status || !same,
        'a foreign one is answered otherwise than one that is not there',
      ),
    ],
    observed: 'answered 404, as for one that does not exist',
  });
}

async function checkDrop(
  { guest, run, signingKey, findings }: Installation,
  kind: Kind,
  path: string,
): Promise<void> {
  const { receipt } = expectJson<DroppedDatabase>(await guest.visit(path, { method: 'DELETE' }), path);
  const [head = '', payload = '', signature = ''] = receipt.split('.');
  const said = Buffer.from(payload, 'base64url').toString();
  const after = (await guest.visit(path)).status;
  findings.check(
    kind.clauses.drop,
    `Dropped the ${kind.name} and checked the receipt with the published key`,
    {
      faults: [
        ...faultIf(
          !isSignedBy(signingKey, { protected: head, payload, signature }),
          'the receipt is not of the published key',
        ),
        ...faultIf(said.includes(run.stem), 'the receipt repeats a name'),
        ...faultIf(after !== 404, `afterwards it is answered ${after}`),
      ],
      observed: 'the signature is valid, the receipt names nothing, and the database is gone (404)',
    },
  );
}

async function checkDocument({ guest, run, findings }: Installation): Promise<void> {
  const form = new FormData();
  const mark = run.mark('text of a document');
  form.set('file', new Blob([`A line.\n\n${mark}\n`]), `${run.mark('name of a document')}.txt`);
  const seen = await guest.visit('/api/v1/documents/text', { form });
  findings.check(['P12'], 'Sent a document and had its text extracted', {
    faults: faultIf(
      !seen.text.includes(mark),
      `answered ${seen.status} without its text, so nothing is proved`,
    ),
    observed: 'its text came back; traces are looked for on the machine (--data-dir)',
  });
}

async function checkRecords(installation: Installation): Promise<void> {
  const records = await waitForRecords(installation, (all) =>
    [vectors, sql].every(({ recorded }) => all.some(({ kind }) => kind === recorded)),
  );
  for (const { name, recorded, clauses } of [vectors, sql]) {
    const own = records.filter(({ kind }) => kind === recorded);
    installation.findings.check(clauses.record, `Read the records of work on the ${name}`, {
      faults: [
        ...faultIf(own.length === 0, 'there is none'),
        ...new Set(own.flatMap((record) => fieldFaults(record, [...RECORD_FIELDS, 'kind'], []))),
      ],
      observed: `${own.length} records with the fields of a call; none tells a name, a table or a size`,
    });
  }
}
