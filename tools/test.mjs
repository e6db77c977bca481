import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  SANDBOX_PROGRAMS,
  ensureDependencies,
  ensureSystemPackages,
  pinnedNode,
  root,
} from './bootstrap.mjs';
import { ensureWeb } from './build-web.mjs';

/**
 * `npm test`: everything that has to hold before a change lands. Installs what a new machine lacks, then checks
 * types, lint and format, then the unit tests, then the suites against the real platform.
 */
ensureDependencies();
ensureWeb();
ensureSystemPackages(SANDBOX_PROGRAMS, { required: true });
ensureSystemPackages(
  { pip3: 'python3-pip', javac: 'default-jdk-headless', mvn: 'maven', strace: 'strace' },
  { required: false },
);

// Outside databases, which tests start on ports of their own.
ensureSystemPackages(
  { mariadbd: 'mariadb-server', pg_ctlcluster: 'postgresql', openssl: 'openssl' },
  { required: false },
);

const bin = (name) => join(root, 'node_modules', '.bin', name);
const STEPS = [
  { name: 'types', program: bin('tsc'), args: ['-p', 'tsconfig.json'] },
  { name: 'types of the web', program: bin('tsc'), args: ['-p', 'web/tsconfig.json'] },
  { name: 'lint', program: bin('oxlint'), args: ['--type-aware'] },
  { name: 'format', program: bin('oxfmt'), args: ['--check'] },
  { name: 'unit tests', program: bin('vitest'), args: ['run', '--project', 'unit'] },
  { name: 'system tests', program: bin('vitest'), args: ['run', '--project', 'system'] },
];

// The pinned Node comes first, and nothing of the machine's own Node setup leaks into what is tested.
const env = { ...process.env, PATH: `${join(pinnedNode, '..')}:${process.env.PATH}` };
for (const { name, program, args } of STEPS) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) {
    process.stdout.write(`\nfailed: ${name}\n`);
    process.exit(status ?? 1);
  }
}
