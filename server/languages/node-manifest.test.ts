import { describe, expect, test } from 'vitest';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { inputKey } from './input-key.ts';
import { BuildFailure } from './language.ts';
import { asLayer, baseDependencies, nodeDependencies, withoutInstalled } from './node-manifest.ts';

function source(files: Readonly<Record<string, unknown>>): SourceTree {
  const entries = Object.entries(files);
  return new Map(
    entries.map(([path, value]) => [
      path,
      textFile(typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
  );
}

function given(files: Readonly<Record<string, unknown>>): Record<string, string> {
  const { files: tree } = nodeDependencies(source(files));
  return Object.fromEntries([...tree].map(([path, file]) => [path, Buffer.from(file.bytes).toString()]));
}

const FRAMEWORK = '@google-cloud/functions-framework';

describe('the dependency step', () => {
  test('sees manifests and the lock file, and nothing else of the code', () => {
    const files = given({
      'package.json': {
        name: 'mine',
        scripts: { postinstall: 'x' },
        dependencies: { left: '1', [FRAMEWORK]: '^3.4' },
      },
      'package-lock.json': '{}',
      'index.js': 'secret',
      '.npmrc': 'registry=http://elsewhere',
      'lib/package.json': { name: 'lib', main: 'x.js', dependencies: { right: '2' } },
      'node_modules/left/package.json': { name: 'left' },
    });
    expect(files).toEqual({
      'package.json': JSON.stringify({ dependencies: { left: '1', [FRAMEWORK]: '^3.4' } }),
      'package-lock.json': '{}',
      'lib/package.json': JSON.stringify({ name: 'lib', dependencies: { right: '2' } }),
    });
  });

  test('takes a lock file as it is', () => {
    const lock = { 'package.json': { dependencies: { [FRAMEWORK]: '^3.4' } }, 'package-lock.json': '{}' };
    expect(nodeDependencies(source(lock)).npmArguments).toEqual(['ci']);
    const shrinkwrap = { 'package.json': lock['package.json'], 'npm-shrinkwrap.json': '{}' };
    expect(nodeDependencies(source(shrinkwrap)).npmArguments).toEqual(['ci']);
  });

  test('adds the framework where it is missing, to a locked tree too', () => {
    expect(given({ 'package.json': { dependencies: { left: '1' } } })['package.json']).toContain(
      `"${FRAMEWORK}":"5.0.5"`,
    );
    const locked = nodeDependencies(
      source({ 'package.json': { dependencies: { left: '1' } }, 'package-lock.json': '{}' }),
    );
    expect(locked.npmArguments).toEqual(['install', '--no-save']);
  });

  test.each([
    ['no package.json at all', {}],
    ['a package.json without dependencies', { 'package.json': { name: 'a' } }],
    ['the template', { 'package.json': { name: 'a', dependencies: { [FRAMEWORK]: '^5.0.5' } } }],
  ])('is the base for %s', (_what, files) => {
    expect(nodeDependencies(source(files))).toEqual(baseDependencies());
  });

  test.each([
    ['another range', { 'package.json': { dependencies: { [FRAMEWORK]: '^3.4.0' } } }],
    ['another package', { 'package.json': { dependencies: { left: '1' } } }],
    ['overrides', { 'package.json': { overrides: { express: '4' } } }],
    ['a lock file', { 'package.json': {}, 'package-lock.json': '{}' }],
  ])('is not the base for %s', (_what, files) => {
    expect(nodeDependencies(source(files)).isBase).toBe(false);
  });

  test.each([
    ['{', 'package.json is not JSON'],
    ['[]', 'package.json has to hold a JSON object'],
    ['{"dependencies":[]}', '"dependencies" has to be an object'],
  ])('refuses the manifest %s', (text, message) => {
    const attempt = () => nodeDependencies(source({ 'package.json': text }));
    expect(attempt).toThrow(BuildFailure);
    expect(attempt).toThrow(message);
  });
});

test('code, name and development dependencies have no influence on the input', () => {
  const key = (files: Record<string, unknown>) => {
    const { npmArguments, files: given } = nodeDependencies(source(files));
    return inputKey(npmArguments, given);
  };
  const manifest = { dependencies: { left: '1' } };
  const plain = key({ 'package.json': manifest });
  const dressed = { ...manifest, name: 'b', version: '2.0.0', devDependencies: { vitest: '5' } };
  expect(key({ 'package.json': dressed, 'index.js': 'new code' })).toBe(plain);
  expect(key({ 'package.json': { dependencies: { left: '2' } } })).not.toBe(plain);
  expect(key({ 'package.json': manifest, 'package-lock.json': '{}' })).not.toBe(plain);
});

test('uploaded packages are not part of the code', () => {
  const tree = source({ 'index.js': '', 'node_modules/a/index.js': '', 'lib/node_modules/b/x.js': '' });
  expect([...withoutInstalled(tree).keys()]).toEqual(['index.js']);
});

test('links to packages of the code lead to where the code will be', () => {
  const arranged = asLayer(
    [
      { kind: 'file', path: '.package-lock.json', executable: false, sizeBytes: 1 },
      { kind: 'link', path: '@mine/lib', target: '../../packages/lib' },
      { kind: 'link', path: '.bin/tool', target: '../tool/cli.js' },
      { kind: 'link', path: 'evil', target: '../../../etc' },
    ],
    '/work/project',
  );
  expect(arranged).toEqual([
    { kind: 'link', path: '@mine/lib', target: '/app/packages/lib' },
    { kind: 'link', path: '.bin/tool', target: '../tool/cli.js' },
    { kind: 'link', path: 'evil', target: '../../../etc' },
  ]);
});
