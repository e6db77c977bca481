import { FUNCTION_ENV } from './function-env.ts';
import { createJavaBuild } from './java-build.ts';
import { trustStoreOptions } from './java-maven.ts';
import { findJava, runtimeDetail, type JavaToolchain } from './java-toolchain.ts';
import type { BuildRequest, BuiltFunction, WorkerPlan, WorkerRequest } from './language.ts';
import { unavailableLanguage } from './runtime-unavailable.ts';
import { sharedBase, type PreparableLanguage } from './shared-base.ts';
import { toolBinds } from './tool-binds.ts';
import type { Toolbox } from './toolbox.ts';

const RUNTIME = 'java21';
const BASE = '/opt/jellyfaas/java';
/** The launcher puts these on the class path of the function. */
const LIBRARIES = '/opt/jellyfaas/lib';
const ADVICE =
  'Install a JDK (17 or later) and Maven, on Debian: apt-get install openjdk-17-jdk-headless maven.';

/** As many threads of the worker serve calls. */
const CONCURRENCY = 50;
const MEMORY_MIB_MIN = 256;

/** What the JVM takes beside its heap: code, metaspace, threads and buffers, bounded by the options below. */
const BESIDE_HEAP_MIB = 144;

function heapMib(memoryMib: number): number {
  return Math.max(memoryMib, MEMORY_MIB_MIN) - BESIDE_HEAP_MIB;
}

/** Bounded so that heap and these together stay below what the jail allows. */
const JVM_OPTIONS = [
  '-Xss512k',
  '-XX:MaxMetaspaceSize=64m',
  '-XX:ReservedCodeCacheSize=24m',
  '-XX:MaxDirectMemorySize=48m',
  // A thread that once wrote a large body would keep a buffer of that size.
  '-Djdk.nio.maxCachedBufferSize=65536',
  '-XX:+UseSerialGC',
  // Compiled quickly instead of perfectly: instances are many and short-lived.
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  // The JVM writes nothing about itself anywhere, and ends when it is out of heap.
  '-XX:-UsePerfData',
  '-XX:ErrorFile=/dev/null',
  '-XX:+DisableAttachMechanism',
  '-XX:+ExitOnOutOfMemoryError',
  // For the control socket, which is an inherited descriptor.
  '--add-opens=java.base/java.io=ALL-UNNAMED',
];
const CLASS_PATH = `${BASE}/classes:${BASE}/dependency/*`;

/** Java functions: compiled by Maven, loaded at the claim into a worker whose server is up and warm. */
export function createJavaLanguage(toolbox: Toolbox, java = findJava()): PreparableLanguage {
  return java === undefined ? unavailableLanguage(RUNTIME, ADVICE) : withJava(toolbox, java);
}

function withJava(toolbox: Toolbox, java: JavaToolchain): PreparableLanguage {
  const detail = runtimeDetail(java.jdk);
  const steps = createJavaBuild(toolbox, java);
  const baseLayers = sharedBase((signal) => steps.baseLayers({ signal, onProgress: () => {} }));

  async function build(request: BuildRequest): Promise<BuiltFunction> {
    const dependencies = await steps.dependencyLayers(request, await baseLayers());
    const code = await steps.compile(request, dependencies);
    return { code, layer: dependencies.runtime, runtimeDetail: detail };
  }

  async function worker({ layer, memoryMib }: WorkerRequest): Promise<WorkerPlan> {
    const base = await baseLayers();
    return {
      argv: [
        `${java.jdk.home}/bin/java`,
        ...JVM_OPTIONS,
        `-Xmx${heapMib(memoryMib)}m`,
        ...trustStoreOptions(),
        '-cp',
        CLASS_PATH,
        'jellyfaas.Launcher',
      ],
      // The C library would keep a heap of its own for each thread.
      env: { ...FUNCTION_ENV, MALLOC_ARENA_MAX: '2' },
      binds: [
        ...(await toolBinds(java.jdk.home)),
        toolbox.layerBind(base.runtime, BASE),
        ...(layer === null ? [] : [toolbox.layerBind(layer, LIBRARIES)]),
      ],
      preboot: true,
      concurrency: CONCURRENCY,
      memoryMibMin: MEMORY_MIB_MIN,
    };
  }

  return {
    runtimes: [{ id: RUNTIME, available: true, detail }],
    build,
    worker,
    prepare: async () => void (await baseLayers()),
  };
}
