'use strict';
// Runs the Go toolchain inside the build jail. A Go build needs a writable build cache; the caches of the layers
// are read-only and large, so a cache of links to their entries stands in for a copy.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { join } = require('node:path');

const GO = join(process.env.GOROOT, 'bin/go');
const CACHE = process.env.GOCACHE;
const BASE = '/opt/jellyfaas/go-base';
const DEPENDENCIES = '/opt/jellyfaas/go-dependencies';
const FUNCTION = './.jellyfaas';
// No paths, no build ids, no symbol table: the same source gives the same bytes.
const LINK = '-ldflags=-s -w -buildid=';

// Packages of other modules; a module that a `replace` directive leads to a directory is part of the upload.
const DOWNLOADED =
  '{{with .Module}}{{if and (not .Main) (or (not .Replace) .Replace.Version)}}{{$.ImportPath}}{{end}}{{end}}';

const steps = {
  /** What all Go builds start from: the launcher, the framework, the standard library. */
  base() {
    go('build', './...');
    go('build', LINK, '-o', '/work/layer/launcher', '/work/launcher.go');
  },

  /** Downloads and compiles what the function imports; `add` is a module to require first. */
  dependencies(add) {
    linkCache(BASE);
    if (add !== undefined) go('get', add);
    const packages = goOutput('list', '-deps', '-f', DOWNLOADED, FUNCTION).split('\n').filter(Boolean);
    checkFramework();
    if (packages.length > 0) go('build', ...packages);
    for (const name of ['go.mod', 'go.sum']) fs.copyFileSync(name, join('/work/layer', name));
    unlinkCache();
  },

  function() {
    linkCache(BASE);
    linkCache(DEPENDENCIES);
    go('build', `-modfile=${DEPENDENCIES}/go.mod`, LINK, '-o', '/work/out/function', FUNCTION);
  },
};

function go(...args) {
  run(args, 'inherit');
}

function goOutput(...args) {
  return run(args, 'pipe').stdout.toString();
}

function run(args, stdout) {
  const result = spawnSync(GO, args, { stdio: ['ignore', stdout, 'inherit'], maxBuffer: 16 * 1024 * 1024 });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
  return result;
}

/** The generated main package calls this function by name, where the compiler compares no types. */
function checkFramework() {
  const framework = 'github.com/GoogleCloudPlatform/functions-framework-go';
  const directory = goOutput('list', '-f', '{{.Dir}}', `${framework}/funcframework`).trim();
  const source = fs.readFileSync(join(directory, 'framework.go'), 'utf8');
  if (source.includes('func initServer() (*http.ServeMux, error) {')) return;
  console.error(`This version of ${framework} is not supported yet: require v1.9.2 in go.mod.`);
  process.exit(1);
}

function linkCache(layer) {
  const from = join(layer, 'cache');
  for (const part of fs.readdirSync(from, { withFileTypes: true })) {
    if (!part.isDirectory()) continue;
    fs.mkdirSync(join(CACHE, part.name), { recursive: true });
    for (const entry of fs.readdirSync(join(from, part.name))) {
      const link = join(CACHE, part.name, entry);
      // An entry in both layers is the same output of the same action.
      if (!fs.existsSync(link)) fs.symlinkSync(join(from, part.name, entry), link);
    }
  }
}

/** Leaves what this build added. */
function unlinkCache() {
  for (const part of fs.readdirSync(CACHE, { withFileTypes: true })) {
    if (!part.isDirectory()) continue;
    for (const entry of fs.readdirSync(join(CACHE, part.name), { withFileTypes: true })) {
      if (entry.isSymbolicLink()) fs.unlinkSync(join(CACHE, part.name, entry.name));
    }
  }
}

const [step, ...args] = process.argv.slice(2);
for (const directory of [CACHE, process.env.TMPDIR, '/work/layer', '/work/out']) {
  fs.mkdirSync(directory, { recursive: true });
}
steps[step](...args);
