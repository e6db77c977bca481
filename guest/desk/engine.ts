import { parseKeyConfigs, sealRequest } from '../../clients/sdk/src/sealed/index.ts';
import type { DatabaseFile } from '../../server/databases/databases.ts';
import { PlatformError } from '../../server/kernel/errors.ts';
import { vectorEngineOver } from '../../server/vectors/engine/create-vector-engine.ts';
import type { CallResult, Caller } from '../../server/vectors/engine/engine-caller.ts';
import { engineErrors } from '../../server/vectors/engine/engine-errors.ts';
import { bytesOf, decodeFrame, encodeFrame, floatsOf } from '../../server/vectors/engine/frames.ts';
import type { Method, SealedAnswer, SealedHeader } from '../../server/vectors/engine/protocol.ts';
import { databaseBinding } from '../../server/vectors/engine/sealing.ts';
import type { VectorEngine } from '../../server/vectors/engine/vector-engine.ts';
import type { Door } from './door.ts';
import type { OpenedBy } from './vectors.ts';

/** The vector engine through the door: the server brings the database's key to each request and reads nothing of it. */
export function createSealedEngine(door: Door, bearerOf: (file: DatabaseFile) => OpenedBy): VectorEngine {
  let key: Promise<Uint8Array> | undefined;

  /** Once more with a new key if the engine has started anew since: nothing was done then. */
  async function carry(file: DatabaseFile, frame: Uint8Array): Promise<Uint8Array> {
    const { pass } = bearerOf(file);
    const known = (key ??= door.engineKey(pass));
    try {
      return await carryTo(await known, file, frame);
    } catch (thrown) {
      if (key === known) key = undefined;
      if (!(thrown instanceof PlatformError && thrown.code === engineErrors.sealUnknown().code)) throw thrown;
      return await carryTo(await (key ??= door.engineKey(pass)), file, frame);
    }
  }

  async function carryTo(configs: Uint8Array, file: DatabaseFile, frame: Uint8Array): Promise<Uint8Array> {
    const [config] = parseKeyConfigs(configs);
    if (config === undefined) throw engineErrors.crashed();
    const { pass, name } = bearerOf(file);
    const { body, openResponse } = await sealRequest(config, databaseBinding(file.id), frame);
    return await openResponse(await door.engine(pass, name, body));
  }

  const call: Caller['call'] = async <M extends Method>(
    method: M,
    file: DatabaseFile,
    args: SealedHeader<M>['args'],
    vectors: readonly Float32Array[] = [],
  ) => {
    const asked = encodeFrame({ header: { method, args }, parts: vectors.map(bytesOf) });
    if (asked === undefined) throw engineErrors.tooLarge();
    const answer = decodeFrame<SealedAnswer>(await carry(file, Buffer.concat(asked)));
    if (answer === undefined) throw engineErrors.crashed();
    if (answer.header.t === 'failed') throw new PlatformError(answer.header.error);
    return { result: answer.header.result, vectors: answer.parts.map(floatsOf) } as CallResult<M>;
  };

  const nothing = async (): Promise<void> => undefined;
  return vectorEngineOver({ call, forget: nothing, recall: () => undefined, close: nothing });
}
