import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificates } from './database-server.ts';
import { type ModelScript, type ScriptedModel, startScriptedModel } from './scripted-model.ts';

/** A scripted model as sealed questions need one, and with what environment a platform asks and trusts it. */
export async function startModelOverTls(
  script: ModelScript,
): Promise<ScriptedModel & { readonly env: Record<string, string> }> {
  const directory = await mkdtemp(join(tmpdir(), 'jellyfaas-authority-'));
  await writeCertificates(directory);
  const [cert, key] = await Promise.all([
    readFile(join(directory, 'cert.pem')),
    readFile(join(directory, 'key.pem')),
  ]);
  const model = await startScriptedModel(script, { cert, key });
  return {
    ...model,
    env: {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
    },
    async close() {
      await model.close();
      await rm(directory, { recursive: true });
    },
  };
}
