import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileRequest, pullErrors, pullFile, type PullProgress } from './pull-file.ts';

/**
 * GGUF files of the embedded model, `<dataDir>/models/<name>.gguf`. Weights are public, so they lie there in plain.
 * A file has its name only once its checksum fits; what is still being fetched is `<name>.gguf.part`.
 */
export interface ModelFiles {
  /** By name. */
  list(): Promise<ModelFile[]>;
  /** Host path of a pulled model; undefined when it is not there. */
  find(name: string): Promise<string | undefined>;
  /**
   * Fetches a model, going on where an earlier try ended. Yields progress as it goes and ends when the file is in
   * place. Rejects with `models.pull_*`; what was fetched is kept for the next try, unless its checksum is wrong.
   */
  pull(request: PullRequest): AsyncIterable<PullProgress>;
}

export interface ModelFile {
  readonly name: string;
  readonly bytes: number;
}

/** The name is made of `[a-z0-9._-]`, at most 64 characters. */
export type PullRequest = FileRequest;

export interface ModelFilesOptions {
  readonly directory: string;
  readonly bytesMax?: number;
  readonly fetch?: typeof fetch;
}

/** 64 GiB: more than a processor could run. */
const BYTES_MAX = 64 * 2 ** 30;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SUFFIX = '.gguf';

export function createModelFiles(options: ModelFilesOptions): ModelFiles {
  const { directory } = options;
  const bytesMax = options.bytesMax ?? BYTES_MAX;
  const pulling = new Set<string>();

  const pathOf = (name: string): string => {
    if (!NAME.test(name)) throw pullErrors.name();
    return join(directory, `${name}${SUFFIX}`);
  };

  async function* pull(request: PullRequest): AsyncGenerator<PullProgress> {
    const { name } = request;
    const path = pathOf(name);
    if (pulling.has(name)) throw pullErrors.running();
    pulling.add(name);
    try {
      const part = `${path}.part`;
      yield* pullFile(request, { part, bytesMax, ...(options.fetch && { fetch: options.fetch }) });
      await rename(part, path);
    } finally {
      pulling.delete(name);
    }
  }

  return {
    async list() {
      const names = await readdir(directory).catch(() => []);
      const found = names.filter((name) => name.endsWith(SUFFIX)).toSorted();
      return Promise.all(
        found.map(async (name) => ({
          name: name.slice(0, -SUFFIX.length),
          bytes: (await stat(join(directory, name))).size,
        })),
      );
    },
    async find(name) {
      const path = pathOf(name);
      const isThere = await stat(path).then(
        (found) => found.isFile(),
        () => false,
      );
      return isThere ? path : undefined;
    },
    pull,
  };
}
