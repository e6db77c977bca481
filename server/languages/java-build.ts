import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerId } from '../kernel/ids.ts';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import type { Scratch } from '../sandbox/jail.ts';
import { guestFile } from './guest-files.ts';
import { inputKey } from './input-key.ts';
import { createMaven, REPOSITORY, repositoryBind } from './java-maven.ts';
import { buildableProject, dependencyProject, sourceLevel } from './java-project.ts';
import type { JavaToolchain } from './java-toolchain.ts';
import { BuildFailure, type BuildRequest } from './language.ts';
import type { LayerIndex } from './layer-store.ts';
import { readOutput } from './read-output.ts';
import type { Toolbox } from './toolbox.ts';

const NODE = '/opt/jellyfaas/build/node';
const COPIER = '/opt/jellyfaas/java/copy.cjs';
const SCRATCH_MIB = 1024;
/** Maven's phase after the compiler and what a project runs on its output; tests and archives come later. */
const COMPILE = 'process-classes';
const COPY_DEPENDENCIES = [
  'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
  '-DincludeScope=runtime',
];
/** Where that goal puts libraries. */
const LIBRARIES = 'source/target/dependency';

/** The two layers that one run of Maven leaves. */
export interface JavaLayers {
  /** What workers see: the project's libraries, or for the base its whole `target` directory. */
  readonly runtime: LayerId;
  /** Maven's local repository with all that a build without network needs. */
  readonly repository: LayerId;
}

type StepContext = Pick<BuildRequest, 'signal' | 'onProgress'>;

interface Installation {
  readonly index: LayerIndex;
  readonly key: string;
  /** Directory below the scratch that becomes the runtime layer; `repository` becomes the other one. */
  readonly runtime: string;
  readonly onProgress: (line: string) => void;
  /** Runs Maven; tells whether the next build may count on the result. */
  readonly fill: (scratch: Scratch) => Promise<{ complete: boolean }>;
}

/** The steps of a Java build. */
export interface JavaBuild {
  /** The framework's invoker, our launcher, and the plugins that every build uses. */
  baseLayers(context: StepContext): Promise<JavaLayers>;
  /** The project's libraries, and what Maven needs to compile it. */
  dependencyLayers(request: BuildRequest, base: JavaLayers): Promise<JavaLayers>;
  /** Compiles without network to `classes/…`. */
  compile(request: BuildRequest, dependencies: JavaLayers): Promise<SourceTree>;
}

export function createJavaBuild(toolbox: Toolbox, java: JavaToolchain): JavaBuild {
  const maven = createMaven(toolbox, java);
  const guest = readGuest();

  const compileGoals = (project: SourceTree): string[] => [COMPILE, ...sourceLevel(project, java.jdk.major)];

  async function copyRepository(base: JavaLayers, scratch: Scratch, context: StepContext): Promise<void> {
    await toolbox.runStep({
      ...context,
      name: 'copying the repository',
      argv: [NODE, COPIER, REPOSITORY, '/work/repository'],
      env: {},
      binds: [
        { source: process.execPath, target: NODE },
        { source: guestFile('java/copy.cjs'), target: COPIER },
        repositoryBind(toolbox, base.repository),
      ],
      scratch,
    });
  }

  return {
    baseLayers: (context) =>
      installLayers(toolbox, {
        index: 'base',
        key: inputKey(['java base', java.jdk.version, process.arch], guest),
        runtime: 'source/target',
        onProgress: context.onProgress,
        async fill(scratch) {
          await scratch.write(guest, 'source');
          const name = `preparing Java ${java.jdk.version}`;
          await maven({ ...context, name, scratch, goals: [COMPILE, ...COPY_DEPENDENCIES] });
          return { complete: true };
        },
      }),

    dependencyLayers(request, base) {
      const project = dependencyProject(buildableProject(request.source, java.jdk.major));
      return installLayers(toolbox, {
        index: request.accountId,
        key: inputKey(['java dependencies', base.repository], project),
        runtime: LIBRARIES,
        onProgress: request.onProgress,
        async fill(scratch) {
          await scratch.write(project, 'source');
          // The goal makes no directory when there is nothing to copy.
          await scratch.write(new Map([['.keep', textFile('')]]), LIBRARIES);
          await copyRepository(base, scratch, request);
          const run = { ...request, name: 'resolving dependencies', scratch };
          await maven({ ...run, goals: COPY_DEPENDENCIES });
          return { complete: await succeeds(maven({ ...run, goals: compileGoals(project) })) };
        },
      });
    },

    async compile(request, dependencies) {
      const scratch = await toolbox.jail.scratch(SCRATCH_MIB);
      try {
        const project = buildableProject(request.source, java.jdk.major);
        await scratch.write(project, 'source');
        const { repository } = dependencies;
        await maven({ ...request, name: 'compiling', scratch, repository, goals: compileGoals(project) });
        const classes = await readOutput(scratch, 'source/target/classes');
        if (classes.size === 0)
          throw new BuildFailure('Maven compiled no classes: is there any src/main/java?');
        return new Map([...classes].map(([path, file]) => [`classes/${path}`, file]));
      } finally {
        await scratch.dispose();
      }
    },
  };
}

/**
 * A build without the project's sources downloads what a build of them needs, but may fail where a real one would
 * not (a plugin may ask for a class). The real build then says what is wrong, if anything is.
 */
async function succeeds(building: Promise<void>): Promise<boolean> {
  try {
    await building;
    return true;
  } catch (error) {
    if (error instanceof BuildFailure) return false;
    throw error;
  }
}

async function installLayers(toolbox: Toolbox, installation: Installation): Promise<JavaLayers> {
  const { layers, jail } = toolbox;
  const { index, onProgress } = installation;
  const keys = {
    runtime: inputKey(['runtime', installation.key], new Map()),
    repository: inputKey(['repository', installation.key], new Map()),
  };
  const [runtime, repository] = await Promise.all([
    layers.findByInput(index, keys.runtime),
    layers.findByInput(index, keys.repository),
  ]);
  if (runtime !== undefined && repository !== undefined) {
    onProgress('Dependencies are unchanged.');
    return { runtime, repository };
  }
  onProgress('Installing dependencies.');
  const scratch = await jail.scratch(SCRATCH_MIB);
  try {
    const { complete } = await installation.fill(scratch);
    const taken = {
      runtime: await layers.take({ scratch, below: installation.runtime, mountedAt: '/opt/jellyfaas' }),
      repository: await layers.take({ scratch, below: 'repository', mountedAt: REPOSITORY }),
    };
    if (complete) {
      await layers.remember(index, keys.runtime, taken.runtime);
      await layers.remember(index, keys.repository, taken.repository);
    }
    return taken;
  } finally {
    await scratch.dispose();
  }
}

/** The Maven project of the launcher. */
function readGuest(): SourceTree {
  const root = guestFile('java');
  const sources = readdirSync(join(root, 'src/main/java/jellyfaas')).map(
    (name) => `src/main/java/jellyfaas/${name}`,
  );
  return new Map(
    ['pom.xml', ...sources].map((path) => [path, textFile(readFileSync(join(root, path), 'utf8'))]),
  );
}
