import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerId } from '../kernel/ids.ts';
import { textFile } from '../kernel/source-tree.ts';
import type { JailBind, Scratch } from '../sandbox/jail.ts';
import { withRelativePaths } from './java-project.ts';
import { JAVA_TRUST_STORE, type JavaToolchain } from './java-toolchain.ts';
import { BuildFailure, type BuildRequest } from './language.ts';
import { toolBinds } from './tool-binds.ts';
import type { Toolbox } from './toolbox.ts';

/** Where a layer's repository is seen. */
export const REPOSITORY = '/opt/jellyfaas/java-repository';

const MEMORY_MIB = 1536;
/** A short run: quick compilation beats good code. */
const JVM_OPTIONS = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];
const OPTIONS = [
  '--batch-mode',
  '--no-transfer-progress',
  '--settings=/work/settings.xml',
  '-Dstyle.color=never',
  '-Dmaven.test.skip=true',
];

/** One run of Maven on the project at /work/source. */
export interface MavenRun extends Pick<BuildRequest, 'signal' | 'onProgress'> {
  readonly name: string;
  /** Phases, goals and properties. */
  readonly goals: readonly string[];
  readonly scratch: Scratch;
  /** Runs without network on this repository; absent: with network, on the scratch's own at /work/repository. */
  readonly repository?: LayerId;
}

/** Rejects with `BuildFailure` in Maven's own words, in which files are named as in the upload. */
export type RunMaven = (run: MavenRun) => Promise<void>;

export function createMaven(toolbox: Toolbox, java: JavaToolchain): RunMaven {
  return async (run) => {
    const registry = await toolbox.registries.maven(java.mavenHome);
    const { repository, goals } = run;
    await run.scratch.write(new Map([['settings.xml', textFile(registry.settings)]]));
    try {
      await toolbox.runStep({
        ...run,
        argv: [...launcher(java), ...OPTIONS, ...repositoryOptions(repository), ...goals],
        cwd: '/work/source',
        env: { JAVA_HOME: java.jdk.home, HOME: '/work' },
        binds: [
          ...(await toolBinds(java.jdk.home)),
          ...(await toolBinds(java.mavenHome)),
          ...(repository === undefined ? [] : [repositoryBind(toolbox, repository)]),
        ],
        ...(repository === undefined ? { hosts: registry.hosts } : {}),
        memoryMib: MEMORY_MIB,
        onProgress: (line) => run.onProgress(withRelativePaths(line)),
      });
    } catch (error) {
      if (error instanceof BuildFailure) throw new BuildFailure(withRelativePaths(error.message));
      throw error;
    }
  };
}

export function repositoryBind(toolbox: Toolbox, repository: LayerId): JailBind {
  return toolbox.layerBind(repository, REPOSITORY);
}

/** What `mvn` would run: it is a shell script, and there is no shell in the jail. */
function launcher({ jdk, mavenHome }: JavaToolchain): string[] {
  const boot = readdirSync(join(mavenHome, 'boot')).find((name) => /^plexus-classworlds.*\.jar$/.test(name));
  return [
    join(jdk.home, 'bin/java'),
    ...JVM_OPTIONS,
    ...quietOptions(jdk.major),
    ...trustStoreOptions(),
    '-classpath',
    join(mavenHome, 'boot', boot ?? ''),
    `-Dclassworlds.conf=${mavenHome}/bin/m2.conf`,
    `-Dmaven.home=${mavenHome}`,
    '-Dmaven.multiModuleProjectDirectory=/work/source',
    'org.codehaus.plexus.classworlds.launcher.Launcher',
  ];
}

function repositoryOptions(repository: LayerId | undefined): string[] {
  if (repository === undefined) return ['-Dmaven.repo.local=/work/repository'];
  return ['--offline', '--quiet', `-Dmaven.repo.local=${REPOSITORY}`];
}

/** Newer JDKs warn at each start about what Maven's libraries do; no uploader can change that. */
function quietOptions(major: number): string[] {
  return major < 24 ? [] : ['--enable-native-access=ALL-UNNAMED', '--sun-misc-unsafe-memory-access=allow'];
}

/** The JVM reads no environment: certificate authorities of the operator have to be pointed out to it. */
export function trustStoreOptions(): string[] {
  return existsSync(JAVA_TRUST_STORE) ? [`-Djavax.net.ssl.trustStore=${JAVA_TRUST_STORE}`] : [];
}
