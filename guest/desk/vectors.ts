import type { Holder } from '../../server/accounts/principal.ts';
import type { RecordingOptions } from '../../server/calls/record-request.ts';
import type { FunctionTools } from '../../server/ai/function-tool.ts';
import type { DatabaseFile, Databases } from '../../server/databases/databases.ts';
import { createDocumentReader } from '../../server/documents/jailed-reader.ts';
import { PlatformError, notFound } from '../../server/kernel/errors.ts';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import type { Models } from '../../server/models/chat-model.ts';
import { createVectors } from '../../server/vectors/create-vectors.ts';
import { vectorLimits } from '../../server/vectors/limits.ts';
import type { Asker, Vectors } from '../../server/vectors/vectors.ts';
import type { Door } from './door.ts';
import { createDeskEmbedders } from './embedders.ts';
import { createSealedEngine } from './engine.ts';
import { startHere } from './start-here.ts';

export interface DeskVectorsParts extends RecordingOptions {
  readonly door: Door;
  readonly models: Pick<Models, 'select'>;
  readonly tools: FunctionTools;
}

/**
 * The vector service as it is in the clear, over databases whose files are elsewhere: documents are read and embedded in
 * this jail, and what comes of them goes to the engine sealed, as do searches.
 */
export function createDeskVectors({ door, models, tools, ...recording }: DeskVectorsParts): Vectors {
  const databases = createDeskDatabases(door);
  const service = createVectors({
    databases,
    engine: createSealedEngine(door, (file) => databases.bearerOf(file)),
    embedders: createDeskEmbedders(door),
    reader: createDocumentReader({ jail: { start: startHere }, scheduler: systemScheduler }),
    models,
    tools,
    limits: vectorLimits,
    ...recording,
  });
  return tellingFailures(service, door);
}

/** The same, and the gateway records as failed what a plain request would be, also where its answer has begun. */
function tellingFailures(service: Vectors, door: Pick<Door, 'failed'>): Vectors {
  // Of a request that has ended nothing can be told, and a record is there.
  const tell = ({ accountId: pass }: Holder): Promise<void> => door.failed(pass).catch(() => undefined);

  async function orTell<T>({ holder }: Asker, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      await tell(holder);
      throw thrown;
    }
  }

  return {
    ...service,
    upload: (asker, ...rest) => orTell(asker, service.upload(asker, ...rest)),
    ask: (asker, ...rest) => orTell(asker, service.ask(asker, ...rest)),
    async *watchUpload(holder, ...rest) {
      for await (const progress of service.watchUpload(holder, ...rest)) {
        if (progress.error !== null) await tell(holder);
        yield progress;
      }
    },
  };
}

function ownMatter(): PlatformError {
  return new PlatformError({
    kind: 'unimplemented',
    code: 'vectors.not_sealable',
    owner: 'caller',
    message: 'Databases are made and dropped without the seal, because their keys are the server’s own. Do that first.',
  });
}

/** On whose behalf a database was opened, and how he calls it. */
export interface OpenedBy {
  readonly pass: string;
  readonly name: string;
}

interface DeskDatabases extends Databases {
  bearerOf(file: DatabaseFile): OpenedBy;
}

function createDeskDatabases(door: Door): DeskDatabases {
  const openedBy = new WeakMap<DatabaseFile, OpenedBy>();
  const refused = (): Promise<never> => Promise.reject(ownMatter());

  const list: Databases['list'] = async ({ accountId: pass }, kind) =>
    (await door.databases(pass)).map((database) => ({ ...database, kind }));

  async function find(...[holder, kind, name]: Parameters<Databases['find']>): ReturnType<Databases['find']> {
    const found = (await list(holder, kind)).find((database) => database.name === name);
    if (found === undefined) throw notFound('database');
    return found;
  }

  return {
    list,
    find,
    async open(holder, kind, name) {
      const database = await find(holder, kind, name);
      const file = { id: database.id, directory: '', key: new Uint8Array() };
      openedBy.set(file, { pass: holder.accountId, name });
      return { database, file };
    },
    create: refused,
    drop: refused,
    erase: refused,
    rotateAll: refused,
    onDropped: () => undefined,
    onRotating: () => undefined,
    bearerOf(file) {
      const bearer = openedBy.get(file);
      if (bearer === undefined) throw new TypeError('the file was not opened here');
      return bearer;
    },
  };
}
