import { expect, test } from 'vitest';
import { isServed } from './go-toolchain.ts';

test.each([
  ['1.22.0', true],
  ['1.26.8', true],
  ['1.30rc1', true],
  ['1.21.13', false],
  ['2.0.0', false],
  ['devel', false],
])('Go %s serves go122: %s', (version, served) => {
  expect(isServed(version)).toBe(served);
});
