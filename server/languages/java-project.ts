import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { BuildFailure } from './language.ts';

/** Documentation of the upload decides on no dependency and changes often. */
const UNREAD = new Set(['jellyspec.json', 'README.md', 'CHANGELOG.md']);

/** Without any class Maven's compiler plugin would not even load the compiler that the real build needs. */
const STAND_IN = [
  'src/main/java/jellyfaas/StandIn.java',
  'package jellyfaas;\n\nfinal class StandIn {}\n',
] as const;

/**
 * The project as Maven builds it: compiled for the JDK that is there, when the project asks for a newer one.
 * A pom may say so in several places, of which only the properties could be overridden from outside.
 */
export function buildableProject(source: SourceTree, jdkMajor: number): SourceTree {
  const pom = source.get('pom.xml');
  if (pom === undefined) {
    throw new BuildFailure('There is no pom.xml beside jellyspec.json. A Java function is a Maven project.');
  }
  const text = lowerRelease(Buffer.from(pom.bytes).toString('utf8'), jdkMajor);
  return new Map([...source, ['pom.xml', textFile(text)]]);
}

const RELEASE =
  /(?<=<(release|source|target|java\.version|maven\.compiler\.(?:release|source|target))>\s{0,20})\d+(?=\s{0,20}<\/\1>)/g;

export function lowerRelease(pom: string, jdkMajor: number): string {
  return pom.replaceAll(RELEASE, (asked) => String(Math.min(Number(asked), jdkMajor)));
}

/**
 * Properties for projects that name no source level: the compiler plugin that Maven 3.8 picks by itself knows no
 * `release`, and would ask for Java 5.
 */
export function sourceLevel(project: SourceTree, jdkMajor: number): string[] {
  const pom = Buffer.from(project.get('pom.xml')?.bytes ?? []).toString('utf8');
  if (/<(?:maven\.compiler\.)?source>/.test(pom)) return [];
  const level = /<(?:maven\.compiler\.)?release>\s*(\d+)\s*</.exec(pom)?.[1] ?? String(jdkMajor);
  return [`-Dmaven.compiler.source=${level}`, `-Dmaven.compiler.target=${level}`];
}

/**
 * What decides on the dependencies: the pom and whatever else may steer a plugin (a code generator's input for
 * example), but no Java source. It is all that the step with network gets to see, and a change of Java code finds
 * the dependencies of the last build.
 */
export function dependencyProject(project: SourceTree): SourceTree {
  const kept = [...project].filter(([path]) => !path.endsWith('.java') && !UNREAD.has(path));
  const [path, text] = STAND_IN;
  return new Map([...kept, [path, textFile(text)]]);
}

const WORK = /(?:file:)?\/work\/source\//g;

/** The compiler names files by their path in the jail, which means nothing to the uploader. */
export function withRelativePaths(message: string): string {
  return message.replaceAll(WORK, '');
}
