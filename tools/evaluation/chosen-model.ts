import { resolve } from 'node:path';
import { loadConfig } from '../../server/config.ts';

type Config = ReturnType<typeof loadConfig>;

/** A model file, or an endpoint. */
export type ChosenModel =
  | { readonly file: string }
  | { readonly provider: NonNullable<Config['models'][number]> };

/** What `--file`, or `--url` and `--name`, say; otherwise the installation's own (JELLYFAAS_MODEL_…). */
export function chosenModel({
  file,
  url,
  name,
}: {
  readonly file?: string | undefined;
  readonly url?: string | undefined;
  readonly name?: string | undefined;
}): ChosenModel {
  if (file !== undefined) return { file: resolve(file) };
  const config = loadConfig(
    {
      ...process.env,
      ...(url !== undefined && { JELLYFAAS_MODEL_URL: url }),
      ...(name !== undefined && { JELLYFAAS_MODEL_NAME: name }),
    },
    [],
  );
  const [provider] = config.models;
  if (provider !== undefined) return { provider };
  if (config.modelFile !== undefined) return { file: config.modelFile };
  return usage('No model: --file model.gguf, or --url URL --name NAME');
}

export function usage(fault: string): never {
  process.stderr.write(`${fault}.\n`);
  process.exit(2);
}
