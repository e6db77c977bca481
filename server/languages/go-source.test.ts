import { expect, test } from 'vitest';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { dependencySkeleton, frameworkToAdd, importHead, pinnedFramework, withMain } from './go-source.ts';
import { BuildFailure } from './language.ts';

function tree(files: Readonly<Record<string, string>>): SourceTree {
  return new Map(Object.entries(files).map(([path, text]) => [path, textFile(text)]));
}

function textOf(source: SourceTree, path: string): string | undefined {
  const file = source.get(path);
  return file === undefined ? undefined : Buffer.from(file.bytes).toString('utf8');
}

const GO_MOD = 'module example.com/greeter\n\ngo 1.22\n';

test.each([
  ['one import', 'package a\n\nimport "fmt"\n\nfunc f() { fmt.Println() }\n', 'package a\n\nimport "fmt"\n'],
  [
    'a group',
    'package a\nimport (\n\t"fmt"\n\tx "b/c" // why\n\t. "d"\n)\nvar s = `import "no"`',
    'package a\nimport (\n\t"fmt"\n\tx "b/c" // why\n\t. "d"\n)\n',
  ],
  ['several', 'package a; import "b"; import _ `c`\ntype t int', 'package a; import "b"; import _ `c`\n'],
  ['none', 'package a\n\nfunc f() {}\n', 'package a\n'],
  [
    'constraints and comments',
    '//go:build linux\n\n/* import "x" */\npackage a // p\n/* c */ import /* d */ "e"\nconst f = 1',
    '//go:build linux\n\n/* import "x" */\npackage a // p\n/* c */ import /* d */ "e"\n',
  ],
])('the head of a Go file ends after its last import: %s', (_name, file, head) => {
  expect(importHead(file)).toBe(head);
});

test('a file that is no Go is left whole for the compiler to judge', () => {
  expect(importHead('hello "world"')).toBe('hello "world"');
});

test('a file of comment openings is read in linear time', () => {
  const hostile = `package a\n${'/**/'.repeat(200_000)}import (${'"'.repeat(3)}`;
  expect(importHead(hostile).startsWith('package a')).toBe(true);
});

test('a change below the imports keeps the dependencies', () => {
  const before = tree({ 'go.mod': GO_MOD, 'f.go': 'package a\nimport "fmt"\nvar x = 1', 'README.md': 'a' });
  const after = tree({ 'go.mod': GO_MOD, 'f.go': 'package a\nimport "fmt"\nvar x = 2', 'README.md': 'b' });
  expect(dependencySkeleton(after)).toEqual(dependencySkeleton(before));
});

test('the step with network sees neither code nor files that decide on no dependency', () => {
  const source = tree({
    'go.mod': GO_MOD,
    'f.go': 'package a\nvar secret = "s"',
    'f_test.go': 'package a',
    'data.json': '{}',
  });
  const skeleton = dependencySkeleton(source);
  expect([...skeleton.keys()]).toEqual(['go.mod', 'f.go']);
  expect(textOf(skeleton, 'f.go')).toBe('package a\n');
});

test('the main package imports the uploaded module and cannot come from the upload', () => {
  const source = tree({ 'go.mod': GO_MOD, '.jellyfaas/evil.go': 'package main' });
  const built = withMain(source, 'import _ "{{module}}"');
  expect([...built.keys()]).toEqual(['go.mod', '.jellyfaas/main.go']);
  expect(textOf(built, '.jellyfaas/main.go')).toBe('import _ "example.com/greeter"');
});

test.each([
  ['module "example.com/a"\n', 'example.com/a'],
  ['// comment\nmodule example.com/a // b\n', 'example.com/a'],
  ['module (\n\texample.com/a\n)\n', 'example.com/a'],
])('the module path is read from %j', (goMod, path) => {
  expect(textOf(withMain(tree({ 'go.mod': goMod }), '{{module}}'), '.jellyfaas/main.go')).toBe(path);
});

test('an upload without go.mod, or without a module in it, is told so', () => {
  expect(() => withMain(tree({ 'f.go': 'package a' }), '')).toThrow(BuildFailure);
  expect(() => withMain(tree({ 'go.mod': 'go 1.22' }), '')).toThrow(BuildFailure);
});

test('a module path cannot write code into the main package', () => {
  const source = tree({ 'go.mod': 'module "a\\"; import _ \\"os"\n' });
  expect(textOf(withMain(source, '{{module}}'), '.jellyfaas/main.go')).toBe('a');
});

test('a framework that the platform can serve is left alone, a missing or older one is raised', () => {
  const requiring = (version: string): SourceTree =>
    tree({ 'go.mod': `${GO_MOD}require github.com/GoogleCloudPlatform/functions-framework-go ${version}\n` });
  const added = 'github.com/GoogleCloudPlatform/functions-framework-go@v1.9.2';
  expect(frameworkToAdd(requiring('v1.8.1'), 'v1.9.2')).toBeUndefined();
  expect(frameworkToAdd(requiring('v1.10.0'), 'v1.9.2')).toBeUndefined();
  expect(frameworkToAdd(requiring('v1.6.1'), 'v1.9.2')).toBe(added);
  expect(frameworkToAdd(tree({ 'go.mod': GO_MOD }), 'v1.9.2')).toBe(added);
});

test('the pinned framework is the one that the platform itself requires', () => {
  expect(pinnedFramework('require github.com/GoogleCloudPlatform/functions-framework-go v1.9.2\n')).toBe(
    'v1.9.2',
  );
});
