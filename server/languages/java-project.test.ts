import { expect, test } from 'vitest';
import type { SourceTree } from '../kernel/source-tree.ts';
import {
  buildableProject,
  dependencyProject,
  lowerRelease,
  sourceLevel,
  withRelativePaths,
} from './java-project.ts';
import { BuildFailure } from './language.ts';
import { sourceOf } from './testing.ts';

function pomOf(source: SourceTree): string {
  return Buffer.from(source.get('pom.xml')?.bytes ?? []).toString('utf8');
}

test.each([
  [
    '<maven.compiler.release>21</maven.compiler.release>',
    '<maven.compiler.release>17</maven.compiler.release>',
  ],
  ['<release> 21 </release>', '<release> 17 </release>'],
  ['<java.version>21</java.version>', '<java.version>17</java.version>'],
  ['<source>21</source><target>21</target>', '<source>17</source><target>17</target>'],
  ['<release>11</release>', '<release>11</release>'],
  ['<source>1.8</source>', '<source>1.8</source>'],
  ['<release>${java.version}</release>', '<release>${java.version}</release>'],
  ['<version>21</version>', '<version>21</version>'],
])('a project is compiled for the JDK that is there: %s', (pom, lowered) => {
  expect(lowerRelease(pom, 17)).toBe(lowered);
});

test('a project that names no source level gets its release, or the level of the JDK', () => {
  const level = (pom: string): string[] => sourceLevel(sourceOf({ 'pom.xml': pom }), 25);
  expect(level('<maven.compiler.release>21</maven.compiler.release>')).toEqual([
    '-Dmaven.compiler.source=21',
    '-Dmaven.compiler.target=21',
  ]);
  expect(level('<project/>')).toEqual(['-Dmaven.compiler.source=25', '-Dmaven.compiler.target=25']);
  expect(level('<maven.compiler.source>11</maven.compiler.source>')).toEqual([]);
});

test('an upload without pom.xml is told so', () => {
  expect(() => buildableProject(sourceOf({ 'A.java': '' }), 21)).toThrow(BuildFailure);
});

test('the step with network sees no Java source, and a change of one keeps the dependencies', () => {
  const project = (code: string, readme: string): SourceTree =>
    dependencyProject(
      sourceOf({ 'pom.xml': '<project/>', 'src/main/java/a/A.java': code, 'README.md': readme }),
    );
  const before = project('class A { String secret; }', 'a');
  expect([...before.keys()]).toEqual(['pom.xml', 'src/main/java/jellyfaas/StandIn.java']);
  expect(project('class A {}', 'b')).toEqual(before);
});

test('a newer JDK leaves the pom as it is', () => {
  const pom = '<project><release>21</release></project>';
  expect(pomOf(buildableProject(sourceOf({ 'pom.xml': pom }), 25))).toBe(pom);
});

test("the compiler's message names files as in the upload", () => {
  expect(withRelativePaths('[ERROR] /work/source/src/main/java/A.java:[3,1] no')).toBe(
    '[ERROR] src/main/java/A.java:[3,1] no',
  );
});
