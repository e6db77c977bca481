import type { Mutant } from './mutants.ts';

/** Leaks of single services, each caught by the suite of its service. */

const FS = `process.getBuiltinModule('node:fs')`;

export const AI_MUTANTS: readonly Mutant[] = [
  {
    name: 'questions kept in a prompt log',
    edits: [
      {
        file: 'server/models/provider-fetch.ts',
        find: 'const headers = new Headers(init?.headers);',
        replace: `const headers = new Headers(init?.headers); ${FS}.appendFileSync('/tmp/prompts-' + process.pid, String(init?.body));`,
      },
    ],
  },
  {
    name: 'sources that are not sealed',
    edits: [
      {
        file: 'server/tool-sources/sealed-source.ts',
        find: 'sealed: wrapKey(sealingKey(holder), text, contextOf({ id, accountId })) };',
        replace: 'sealed: text };',
      },
      {
        file: 'server/tool-sources/sealed-source.ts',
        find: 'const text = unwrapKey(sealingKey(holder), row.sealed, contextOf(row));',
        replace: 'const text = row.sealed;',
      },
    ],
  },
  {
    name: 'questions in the log of the loop',
    edits: [
      {
        file: 'server/ai/conversation.ts',
        find: '  async run(): Promise<Outcome> {\n',
        replace:
          '  async run(): Promise<Outcome> {\n    process.stderr.write(JSON.stringify(this.#messages));\n',
      },
    ],
  },
];

export const DATABASE_MUTANTS: readonly Mutant[] = [
  {
    name: 'documents spooled on their way to the reader',
    edits: [
      {
        file: 'server/documents/reader-process.ts',
        find: 'for await (const part of content) {',
        replace: `for await (const part of content) { ${FS}.appendFileSync('/tmp/spool-' + process.pid, part);`,
      },
    ],
  },
  {
    name: 'connection strings in a log',
    edits: [
      {
        file: 'server/sql/external/external-sql.ts',
        find: 'const target = parseConnectionString(connection.reveal());',
        replace:
          'process.stderr.write(connection.reveal()); const target = parseConnectionString(connection.reveal());',
      },
    ],
  },
  {
    name: 'databases that the service opens alone',
    edits: [
      {
        file: 'server/databases/database-locks.ts',
        find: 'const key = new Uint8Array(randomBytes(32));',
        replace: 'randomBytes(1); const key = Uint8Array.from(half);',
      },
    ],
  },
];

export const AIMEE_MUTANTS: readonly Mutant[] = [
  {
    name: 'questions of visitors in a log',
    edits: [
      {
        file: 'server/aimee/visitors.ts',
        find: 'const said = await answer(',
        replace: 'process.stderr.write(question); const said = await answer(',
      },
    ],
  },
  {
    name: 'searches cached in the data directory',
    edits: [
      {
        file: 'server/aimee/opened-texts.ts',
        find: 'account.texts.set(id, opened);',
        replace: `account.texts.set(id, opened); ${FS}.appendFileSync(process.env['JELLYFAAS_DATA_DIR'] + '/searches', opened.text);`,
      },
    ],
  },
  {
    name: 'conversations that the service opens alone',
    edits: [
      {
        file: 'server/aimee/conversation-keys.ts',
        find: `return wrapKey(key, Buffer.from(JSON.stringify(content), 'utf8'), contextOf(id));`,
        replace: `return Buffer.from(JSON.stringify(content), 'utf8');`,
      },
      {
        file: 'server/aimee/conversation-keys.ts',
        find: 'const text = unwrapKey(key, sealed, contextOf(id));',
        replace: 'const text = sealed;',
      },
    ],
  },
  {
    name: 'a purge that leaves the keys',
    edits: [
      {
        file: 'server/aimee/purges.ts',
        find: 'await keyRing.destroyAll(ids.map((conversationId) => ringHalfOf({ accountId, conversationId })));',
        replace: 'void [keyRing, ringHalfOf];',
      },
    ],
  },
];
