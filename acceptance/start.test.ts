import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The one command of the README, as an operator's service manager would run and end it. */
it('npm start prints address, key and a line to try, and ends with 0 on SIGTERM', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'jellyfaas-start-'));
  const env = {
    ...process.env,
    JELLYFAAS_PORT: '0',
    JELLYFAAS_DATA_DIR: dataDir,
    JELLYFAAS_PREPARE_RUNTIMES: 'false',
  };
  const npm = spawn('npm', ['start'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  npm.stdout.on('data', (chunk) => (output += String(chunk)));
  while (!output.includes('Try:')) await once(npm.stdout, 'data');
  const url = /listens on (http:\S+)/.exec(output)?.[1] ?? '';
  const key = /shown this once: (sk_[0-9A-Za-z]{27})\n/.exec(output)?.[1] ?? '';
  const validated = await fetch(`${url}/auth-service/v1/validate`, { headers: { 'x-jf-apikey': key } });
  expect(validated.status).toBe(200);
  expect(output).toContain('npx jellyfaas login');
  const exited = once(npm, 'exit');
  npm.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  rmSync(dataDir, { recursive: true });
});
