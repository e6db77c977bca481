import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { type DeployResult, Api } from '../api.ts';
import type { Terminal } from '../terminal.ts';
import { deploy } from '../deployment.ts';
import type { CanaryRun } from '../../../privacy/harness/canary.ts';

/** A function that answers with what it got, prints it, and fails on request. */
const SOURCE = `'use strict';
const functions = require('@google-cloud/functions-framework');

functions.http('probe', (req, res) => {
  console.log(String(req.headers['x-print'] ?? ''));
  if (req.query.fail !== undefined) throw new Error(String(req.query.fail));
  const body = String(req.rawBody ?? '');
  const answer = () => res.json({ url: req.originalUrl, headers: req.headers, body });
  setTimeout(answer, Number(req.query.waitMs ?? 0));
});
`;

export interface Probe {
  readonly shortname: string;
  /** Path of its deployment, from the root of the server. */
  readonly path: string;
}

/** Deploys the probe for the account of `api`; its source carries a canary. */
export async function deployProbe(
  { url, apiKey, shortname, run }: { url: string; apiKey: string; shortname: string; run: CanaryRun },
  terminal: Terminal,
): Promise<Probe> {
  const spec = {
    $jellyspecversion: 'v1.0.0',
    name: 'Privacy verification',
    shortname,
    runtime: 'nodejs24',
    entrypoint: 'probe',
    description: 'Answers with what it got; made and deleted by jellyfaas privacy verify.',
    requirements: { requestType: 'POST', queryParams: [], inputType: 'NONE', outputType: 'NONE' },
  };
  const archive = new ZipFile();
  const files = {
    'jellyspec.json': JSON.stringify(spec),
    'index.js': `${SOURCE}// ${run.mark('source code')}\n`,
  };
  for (const [path, text] of Object.entries(files))
    archive.addBuffer(Buffer.from(text), `${shortname}/${path}`);
  archive.end();
  const zip = await buffer(archive.outputStream);
  const result: DeployResult = await deploy(new Api({ url, apiKey }), terminal, {
    fileName: `${shortname}.zip`,
    zip,
    wait: true,
    quiet: true,
  });
  const { pathname } = new URL(result.deployedDetails[0]?.urlLocation ?? url);
  return { shortname, path: pathname };
}
