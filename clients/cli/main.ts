#!/usr/bin/env node
import { homedir } from 'node:os';
import { run } from './program.ts';
import { createTerminal } from './terminal.ts';

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await run(process.argv.slice(2), {
  terminal: createTerminal(process),
  env: process.env,
  home: homedir(),
  cwd: process.cwd(),
});
