import { expect, test } from 'vitest';
import { choosePython, type PythonCandidate } from './python-toolchain.ts';

function python(minor: number, overrides: Partial<PythonCandidate> = {}): PythonCandidate {
  return {
    version: [3, minor, 0],
    implementation: 'cpython',
    executable: `/usr/bin/python3.${minor}`,
    prefix: '/usr',
    hasPip: true,
    reachable: true,
    ...overrides,
  };
}

test('3.12 comes before newer versions, and newer before older', () => {
  expect(choosePython([python(11), python(14), python(12)])?.version[1]).toBe(12);
  expect(choosePython([python(11), python(13)])?.version[1]).toBe(13);
});

test('an interpreter that everyone can read comes before one in a closed home', () => {
  expect(choosePython([python(12, { reachable: false }), python(11)])?.version[1]).toBe(11);
  expect(choosePython([python(12, { reachable: false })])?.version[1]).toBe(12);
});

test('interpreters that are too old, without pip or not CPython do not count', () => {
  const candidates = [python(10), python(12, { hasPip: false }), python(12, { implementation: 'pypy' })];
  expect(choosePython(candidates)).toBeUndefined();
});
