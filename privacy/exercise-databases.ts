import type { Client, ScriptedReply } from '../testkit/index.ts';
import { type CanaryRun, vectorOf } from './harness/canary.ts';
import type { Script } from './exercise-ai.ts';

/** Requests of a client that looks at nothing: the canaries go in, answers are read to their end and dropped. */
export interface Sender {
  json(method: string, path: string, body?: object): Promise<unknown>;
  upload(
    path: string,
    file: { name: string; text: string; fields?: Record<string, string> },
  ): Promise<unknown>;
  raw(path: string, type: string, text: string): Promise<unknown>;
}

export async function senderOf(client: Client): Promise<Sender> {
  const jfwt = await client.token();
  const send = async (path: string, init: RequestInit): Promise<unknown> => {
    const headers = { jfwt, ...(init.headers as Record<string, string>) };
    const response = await fetch(`${client.url}${path}`, { ...init, headers });
    const text = await response.text().catch(() => '');
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };
  return {
    json: (method, path, body) =>
      send(path, {
        method,
        ...(body !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      }),
    upload(path, { name, text, fields = {} }) {
      const form = new FormData();
      for (const [key, value] of Object.entries(fields)) form.set(key, value);
      form.set('file', new Blob([text]), name);
      return send(path, { method: 'POST', body: form });
    },
    raw: (path, type, text) => send(path, { method: 'POST', headers: { 'content-type': type }, body: text }),
  };
}

async function untilEnded(send: Sender, uploadId: string): Promise<string> {
  for (;;) {
    const { status } = (await send.json('GET', `/api/v1/uploads/${uploadId}`)) as { status: string };
    if (!['queued', 'reading', 'embedding'].includes(status)) return status;
    await new Promise((done) => setTimeout(done, 50));
  }
}

interface Exercise {
  readonly client: Client;
  readonly script: Script;
  readonly run: CanaryRun;
}

/** A canary through every input of vector databases; the names of databases are canaries, too. */
export async function exerciseVectors({ client, script, run }: Exercise): Promise<void> {
  const send = await senderOf(client);
  const say = (...replies: ScriptedReply[]): void => void (script.replies = replies);
  const [sealed, strict, raw] = ['sealed', 'strict', 'raw'].map((kind) =>
    run.mark(`name of a ${kind} database`),
  );
  await send.json('POST', '/api/v1/vectors', { name: sealed });
  await send.json('POST', '/api/v1/vectors', { name: strict, kind: 'strict', resolver: 'aiprobe' });
  const dimensions = vectorOf(run.mark('measure')).length;
  await send.json('POST', '/api/v1/vectors', { name: raw, dimensions, metric: 'dot', model: null });
  for (const name of [sealed, strict]) {
    const started = (await send.upload(`/api/v1/vectors/${name}/documents`, {
      name: `${run.mark(`file name in ${name}`)}.md`,
      text: `# ${run.mark('heading')}\n\nThe harbour of ${run.mark('passage')} freezes in January.\n`,
      fields: { metadata: JSON.stringify({ [run.mark('metadata field')]: run.mark('metadata value') }) },
    })) as { uploadId: string };
    await untilEnded(send, started.uploadId);
    say({ text: `${run.mark('answer from passages')} [1]` });
    await send.json('POST', `/api/v1/vectors/${name}/ask`, {
      question: `When does ${run.mark('question')} freeze?`,
    });
    await send.json('POST', `/api/v1/vectors/${name}/query`, { text: run.mark('search'), rerank: true });
  }
  await send.upload(`/embedder-service/v1/upload?collection_name=${run.mark('collection')}`, {
    name: `${run.mark('file name of an older client')}.txt`,
    text: run.mark('text of an older client'),
  });
  await send.upload(`/api/v1/vectors/${sealed}/documents`, {
    name: `${run.mark('name of a damaged file')}.pdf`,
    text: `%PDF-1.7 ${run.mark('damaged file')}`,
  });
  await send.upload('/api/v1/documents/text', { name: 'a.txt', text: run.mark('extracted text') });
  say({ text: run.mark('answer to an older client') });
  await send.json('POST', '/query-service/v1/vectordb', {
    query: run.mark('question of an older client'),
    rag_query: run.mark('retrieval text'),
    vector_mongo_collection: sealed,
  });
  await send.json('POST', '/query-service/v1/vectordb', {
    query: 'x',
    vector_mongo_collection: sealed,
    vector_mongo_connection_string: `mongodb://u:${run.mark('mongo password')}@127.0.0.1/x`,
  });
  await send.json('POST', `/api/v1/vectors/${raw}/records`, {
    records: [
      {
        id: run.mark('record id'),
        vector: [...vectorOf(run.mark('stored vector'))],
        text: run.mark('record text'),
        metadata: { colour: run.mark('record metadata') },
      },
      { id: 'other', vector: [...vectorOf(run.mark('second vector'))] },
    ],
  });
  await send.json('POST', `/api/v1/vectors/${raw}/query`, {
    vector: [...vectorOf(run.mark('query vector'))],
    filter: { colour: run.mark('filter') },
  });
  await send.json('POST', `/api/v1/vectors/${run.mark('unknown database')}/query`, { text: 'x' });
  await send.json('POST', `/api/v1/vectors/${raw}/delete`, { ids: ['other'] });
}

/** The same for SQL: databases of the account, and outside ones that cannot be reached. */
export async function exerciseSql({ client, script, run }: Exercise): Promise<void> {
  const send = await senderOf(client);
  const name = run.mark('name of an SQL database');
  const [table, column] = [run.mark('table'), run.mark('column')];
  const query = (sql: string, params?: unknown[]): Promise<unknown> =>
    send.json('POST', `/api/v1/sql/${name}/query`, { sql, ...(params && { params }) });
  await send.json('POST', '/api/v1/sql', { name });
  await query(`create table ${table} (id integer primary key, ${column} text)`);
  await query(`insert into ${table} (${column}) values (?), ('${run.mark('literal')}')`, [
    run.mark('parameter'),
  ]);
  await query(`select ${column} from ${table} order by ${column}`);
  await query(`select '${run.mark('failing statement')}' from nowhere`);
  await query(`attach '/tmp/${run.mark('refused statement')}' as x`);
  await query(`insert into ${table} (id) values ('${run.mark('value of a wrong type')}')`);
  // Larger than SQLite's caches: what spills must not spill in the clear.
  const many = run.mark('spilled rows');
  await query(
    `insert into ${table} (${column}) with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000) select '${many}' || i from n`,
  );
  await query(`select count(*) from (select ${column} from ${table} order by substr(${column}, 20) desc)`);
  await query(`update ${table} set ${column} = ${column} || '${run.mark('updated rows')}'`);
  await send.json('POST', `/api/v1/sql/${name}/migrations`, {
    migrations: [{ id: 'm1', sql: `create table m (a text default '${run.mark('migration')}')` }],
  });
  const columns = `a,b\n${run.mark('imported cell')},2\n`;
  await send.raw(`/api/v1/sql/${name}/import?table=csv`, 'text/csv', columns);
  await send.raw(
    `/api/v1/sql/${name}/import`,
    'application/sql',
    `insert into m values ('${run.mark('import')}');`,
  );
  await send.json('GET', `/api/v1/sql/${name}/export`);
  await send.json('GET', `/api/v1/sql/${name}/schema`);
  script.replies = [
    {
      text: JSON.stringify({
        sql: `select a, '${run.mark('generated statement')}' as b from m`,
        reason: null,
      }),
    },
    { text: run.mark('answer from rows') },
  ];
  await send.json('POST', '/query-service/v1/rdbms', {
    query: run.mark('question about rows'),
    mysql_connection_string: `jellyfaas://${name}`,
    tables: ['m'],
  });
  for (const connection of [
    `user:${run.mark('password of a refused address')}@tcp(127.0.0.1:1)/${run.mark('database')}`,
    `postgres://u:${run.mark('password of a malformed string')}@[/x`,
    `mysql://u:${run.mark('password of an unknown host')}@${run.mark('host')}.invalid:3306/d`,
  ]) {
    await send.json('POST', '/query-service/v1/rdbms', {
      query: run.mark('question to nowhere'),
      mysql_connection_string: connection,
      tables: [run.mark('table of nowhere')],
    });
  }
}
