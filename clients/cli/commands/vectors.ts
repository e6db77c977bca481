import type { Command } from 'commander';
import type {
  Api,
  DescribedVectorDatabase,
  Documents,
  DroppedDatabase,
  VectorDatabase,
  VectorDatabases,
} from '../api.ts';
import type { QueryOptions, VectorFilter, VectorHits } from '../../sdk/src/index.ts';
import { confirmed, connect, print, settingsOf, table, withJson, type Context } from '../context.ts';
import { orCliError } from '../function-call.ts';
import { INSTALLATION_KEY_HELP, installationKeyOf } from '../installation-key.ts';
import { databasePath, filterOf, questionOf, sealedVectors } from './vector-words.ts';
import { addVectorAsk } from './vectors-ask.ts';
import { addVectorUpload } from './vectors-upload.ts';

/** Documents and vectors of the account: databases, what is in them, and what they answer. */
export function addVectorCommands(program: Command, context: Context): void {
  const vectors = program.command('vectors').description('search your documents and ask them questions');
  addCreate(vectors, context);
  addList(vectors, context);
  addShow(vectors, context);
  addVectorUpload(vectors, context);
  addSearch(vectors, context);
  addVectorAsk(vectors, context);
  addDocuments(vectors, context);
  addDelete(vectors, context);
  addDrop(vectors, context);
}

interface CreateOptions {
  readonly strict?: boolean;
  readonly resolver?: string;
  readonly model?: string;
  readonly dimensions?: string;
  readonly metric?: string;
}

function addCreate(vectors: Command, context: Context): void {
  const create = withJson(vectors.command('create'))
    .description('make a vector database')
    .argument('<name>', 'letters, digits, "_", ".", "-"')
    .option('--strict', 'keep no text, only where passages stand; a function of yours brings them back')
    .option('--resolver <function>', 'with --strict: the function that brings passages back')
    .option('--model <name>', "embedding model instead of the server's default")
    .option('--dimensions <number>', 'for vectors that you bring yourself')
    .option('--metric <name>', 'cosine, dot or euclidean')
    .action(async (name: string, options: CreateOptions) => {
      const { strict, resolver, model, dimensions, metric } = options;
      const body = {
        name,
        kind: strict === true ? 'strict' : 'sealed',
        resolver,
        model,
        metric,
        ...(dimensions !== undefined && { dimensions: Number(dimensions) }),
      };
      const value = await connect(context, create).send<VectorDatabase>('POST', '/api/v1/vectors', body);
      const next = `Send it documents: jellyfaas vectors upload ${name} FILE…`;
      print(context, create, { value, lines: [`${describe(value)} is there. ${next}`] });
    });
}

function describe({ name, kind, dimensions, model }: VectorDatabase): string {
  return `${name} (${kind}, ${dimensions} dimensions, ${model ?? 'your own vectors'})`;
}

function addList(vectors: Command, context: Context): void {
  const list = withJson(vectors.command('list'))
    .description('list your vector databases')
    .action(async () => {
      const value = await connect(context, list).get<VectorDatabases>('/api/v1/vectors');
      const rows = value.databases.map(({ name, kind, dimensions, model, createdAt }) => [
        name,
        kind,
        String(dimensions),
        model ?? '(yours)',
        createdAt,
      ]);
      const heading = ['DATABASE', 'KIND', 'DIMENSIONS', 'MODEL', 'CREATED'];
      const none = 'You have none yet. Make one with "jellyfaas vectors create NAME".';
      print(context, list, { value, lines: table(heading, rows, none) });
    });
}

function addShow(vectors: Command, context: Context): void {
  const show = withJson(vectors.command('show'))
    .description('show one vector database and its size')
    .argument('<name>')
    .action(async (name: string) => {
      const value = await connect(context, show).get<DescribedVectorDatabase>(databasePath(name));
      const lines = [
        describe(value),
        `  metric: ${value.metric}${value.resolver === null ? '' : `, resolver: ${value.resolver}`}`,
        `  ${value.documents} documents, ${value.records} records, ${(value.bytes / 2 ** 20).toFixed(1)} MiB on disk`,
        `  search: ${value.index}`,
      ];
      print(context, show, { value, lines });
    });
}

interface SearchOptions {
  readonly top: string;
  readonly filter?: string;
  readonly mode?: string;
  readonly minScore?: string;
  readonly rerank?: boolean;
  readonly sealed?: boolean;
  readonly installationKey?: string;
}

function addSearch(vectors: Command, context: Context): void {
  const search = withJson(vectors.command('search'))
    .description('find passages')
    .argument('<name>')
    .argument('<text>', '"-" reads it from stdin')
    .option('--top <number>', 'how many', '5')
    .option('--filter <json>', 'on metadata, for example \'{"year":{"gte":2024}}\'')
    .option('--mode <mode>', 'hybrid, vector or keyword')
    .option('--min-score <score>', 'leave out what is less alike')
    .option('--rerank', 'judge the best once more: slower, better order')
    .option('--sealed', 'seal the search here: a sandbox of your own makes it, the server does not read it')
    .option('--installation-key <key>', INSTALLATION_KEY_HELP)
    .action(async (name: string, word: string, options: SearchOptions) => {
      const { top, filter, mode, minScore, rerank, sealed } = options;
      const installationKey = installationKeyOf(options);
      const text = await questionOf(context, word);
      const query = {
        topK: Number(top),
        ...(filter !== undefined && { filter: filterOf(filter) as VectorFilter }),
        ...(mode !== undefined && { mode: mode as NonNullable<QueryOptions['mode']> }),
        ...(minScore !== undefined && { minScore: Number(minScore) }),
        ...(rerank === true && { rerank }),
      };
      const value =
        sealed === true
          ? await orCliError(
              sealedVectors(settingsOf(context, search), name, installationKey).query(text, query),
            )
          : await connect(context, search).send<VectorHits>('POST', databasePath(name, '/query'), {
              text,
              ...query,
            });
      const lines = value.hits.flatMap(hitLines);
      if (lines.length === 0) lines.push('Nothing was found.');
      if (value.changed.length > 0)
        lines.push(`${value.changed.length} passage(s) have changed since: upload again.`);
      print(context, search, { value, lines });
    });
}

function hitLines({ id, score, text, span }: VectorHits['hits'][number]): string[] {
  const place = [
    span?.documentId ?? id,
    ...(typeof span?.page === 'number' ? [`page ${span.page}`] : []),
    ...(span?.headings ?? []).slice(-2),
  ];
  const body = text ?? (span === null ? '' : `characters ${span.start} to ${span.end}`);
  return [
    `${score === null ? ' word' : score.toFixed(3)}  ${place.join(' · ')}`,
    `       ${excerpt(body)}`,
    '',
  ];
}

const EXCERPT_LENGTH = 300;

function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > EXCERPT_LENGTH ? `${line.slice(0, EXCERPT_LENGTH)}…` : line;
}

function addDocuments(vectors: Command, context: Context): void {
  const documents = withJson(vectors.command('documents'))
    .description('list the documents of a database; names are kept as keyed hashes')
    .argument('<name>')
    .action(async (name: string) => {
      const value = { documents: await allDocuments(connect(context, documents), name) };
      const rows = value.documents.map(({ documentId, passages, metadata }) => [
        documentId,
        String(passages),
        Object.keys(metadata).length === 0 ? '' : JSON.stringify(metadata),
      ]);
      const none = `There are none yet. Send some: jellyfaas vectors upload ${name} FILE…`;
      print(context, documents, { value, lines: table(['DOCUMENT', 'PASSAGES', 'METADATA'], rows, none) });
    });
}

const PAGE = 1000;

async function allDocuments(api: Api, name: string): Promise<Documents['documents']> {
  const all: Documents['documents'] = [];
  for (;;) {
    const last = all.at(-1);
    const after = last === undefined ? '' : `&after=${encodeURIComponent(last.documentId)}`;
    const { documents } = await api.get<Documents>(databasePath(name, `/documents?limit=${PAGE}${after}`));
    all.push(...documents);
    if (documents.length < PAGE) return all;
  }
}

function addDelete(vectors: Command, context: Context): void {
  const remove = withJson(vectors.command('delete'))
    .description('delete documents with all their passages, for good')
    .argument('<name>')
    .argument('<document...>', 'ids, as listed by "jellyfaas vectors documents"')
    .action(async (name: string, ids: string[]) => {
      const api = connect(context, remove);
      for (const id of ids)
        await api.send('DELETE', databasePath(name, `/documents/${encodeURIComponent(id)}`));
      print(context, remove, {
        value: { name, deleted: ids },
        lines: [`Deleted ${ids.length} document(s) of ${name}.`],
      });
    });
}

function addDrop(vectors: Command, context: Context): void {
  const drop = withJson(vectors.command('drop'))
    .description('destroy a database at once: its key first, then its files')
    .argument('<name>')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      if (!(await confirmed(context, yes, `Destroy ${name} with all its documents? There is no way back.`)))
        return;
      const value = await connect(context, drop).send<DroppedDatabase>('DELETE', databasePath(name));
      print(context, drop, { value, lines: [`${name} is destroyed. The receipt:`, value.receipt] });
    });
}
