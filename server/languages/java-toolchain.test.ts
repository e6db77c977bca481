import { expect, test } from 'vitest';
import { chooseJdk, runtimeDetail, type Jdk } from './java-toolchain.ts';

const jdk = (version: string): Jdk => ({
  home: `/jdk-${version}`,
  version,
  major: Number(version.split('.')[0]),
});

test.each([
  [['17.0.15', '21.0.7', '25.0.3'], '21.0.7'],
  [['25.0.3', '24.0.1', '17.0.15'], '24.0.1'],
  [['11.0.2', '17.0.15'], '17.0.15'],
  [['20.0.1', '17.0.15'], '20.0.1'],
  [['11.0.2'], undefined],
  [[], undefined],
])('of %j the JDK %s serves java21', (versions, chosen) => {
  expect(chooseJdk(versions.map(jdk))?.version).toBe(chosen);
});

test('the detail says when another JDK serves than was asked for', () => {
  expect(runtimeDetail(jdk('21.0.7'))).toBe('OpenJDK 21.0.7');
  expect(runtimeDetail(jdk('17.0.15'))).toBe('OpenJDK 17.0.15 (java21 asked for)');
});
