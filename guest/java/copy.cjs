'use strict';
// Maven writes into its local repository, and a layer is read-only: a build with network starts from a copy.
const [from, to] = process.argv.slice(2);
require('node:fs').cpSync(from, to, { recursive: true });
