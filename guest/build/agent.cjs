'use strict';
// Runs one build tool inside the jail. The jail has no network: the only way out is the egress proxy's socket.
// Tools speak HTTP proxy over TCP, so this forwards a local port to that socket and then runs the tool.
const { spawn } = require('node:child_process');
const { openForwarder } = require('../egress-forwarder.cjs');

const [command, ...args] = process.argv.slice(2);

openForwarder().then(() => {
  const tool = spawn(command, args, { stdio: 'inherit' });
  tool.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
  });
  tool.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.stderr.write(`ended by ${signal}\n`);
    process.exit(128);
  });
});
