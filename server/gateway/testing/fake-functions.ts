import type { Principal } from '../../accounts/principal.ts';
import type { BadBuild, BuildEvent, Functions, LibraryFunction } from '../../functions/functions.ts';
import { type PlatformError, notFound } from '../../kernel/errors.ts';
import type { BuildId } from '../../kernel/ids.ts';
import { NOW, greeter, owner } from './fakes.ts';

type Builds = Pick<Functions, 'deploy' | 'buildStatus' | 'watchBuild' | 'badBuilds' | 'cleanBadBuild'>;
type Library = Omit<
  Functions,
  | keyof Builds
  | 'copier'
  | 'pauseBuilds'
  | 'resumeBuilds'
  | 'erase'
  | 'rotateKeys'
  | 'catalogue'
  | 'directory'
  | 'recover'
  | 'close'
>;

interface Script {
  readonly stored: Map<string, LibraryFunction>;
  /** What `deploy` received, newest last. */
  readonly zips: Uint8Array[];
  readonly bad: BadBuild[];
  events: BuildEvent[];
  /** Keeps `watchBuild` open after its events until the client leaves. */
  hold: boolean;
  /** Thrown by `deploy` and, after its events, by `watchBuild`. */
  failure: Error | PlatformError | undefined;
  readonly watchEnded: PromiseWithResolvers<void>;
}

export type FakeFunctions = Builds & Library & Script;

/** The owner has the function `greeter` and the build `bld_1`. */
export function fakeFunctions(): FakeFunctions {
  const script: Script = {
    stored: new Map([['greeter', greeter()]]),
    zips: [],
    bad: [
      {
        id: 'bld_bad' as BuildId,
        shortname: 'broken',
        name: 'Broken',
        createdAt: NOW,
        errorDetails: 'SyntaxError',
      },
    ],
    events: [
      { type: 'status', status: 'BUILDING' },
      { type: 'line', text: 'added 1 package' },
      { type: 'status', status: 'DEPLOYED' },
    ],
    hold: false,
    failure: undefined,
    watchEnded: Promise.withResolvers<void>(),
  };
  return Object.assign(script, fakeBuilds(script), fakeLibrary(script.stored));
}

function fakeBuilds(script: Script): Builds {
  const mustBeMine = (principal: Principal, id: string, known: string): void => {
    if (id !== known || principal.accountId !== owner.accountId) throw notFound('build');
  };
  return {
    async deploy(_principal, zip) {
      if (script.failure !== undefined) throw script.failure;
      script.zips.push(zip);
      const isNew = script.zips.length === 1;
      return {
        shortname: 'greeter',
        isNew,
        currentVersion: isNew ? null : 1,
        deployingVersion: isNew ? 1 : 2,
        runtimeDetail: 'Node 24.21.0',
        operations: [
          { size: 's', buildId: 'bld_1' as BuildId, deploymentId: 'greeter-d4hq7r3c1ab2cd3ef4gh-1-s' },
        ],
      };
    },
    async buildStatus(principal, id) {
      mustBeMine(principal, id, 'bld_1');
      return 'DEPLOYED';
    },
    async *watchBuild(_principal, _id, signal) {
      try {
        yield* script.events;
        if (script.failure !== undefined) throw script.failure;
        if (script.hold) await new Promise((done) => signal.addEventListener('abort', done));
      } finally {
        script.watchEnded.resolve();
      }
    },
    badBuilds: async (principal) => (principal.accountId === owner.accountId ? script.bad : []),
    async cleanBadBuild(principal, buildId) {
      mustBeMine(principal, buildId, 'bld_bad');
      return { buildId, functions: ['broken'] };
    },
  };
}

function fakeLibrary(stored: Map<string, LibraryFunction>): Library {
  const visible = (principal: Principal, shortname: string): LibraryFunction => {
    const found = stored.get(shortname);
    const mine = principal.accountId === owner.accountId;
    if (found === undefined || !(mine || found.published)) throw notFound('function');
    return { ...found, mine };
  };
  const own = (principal: Principal, shortname: string): LibraryFunction => {
    const found = visible(principal, shortname);
    if (!found.mine) throw notFound('function');
    return found;
  };
  return {
    library: async (principal) =>
      [...stored.values()].filter((fn) => fn.published || principal.accountId === owner.accountId),
    get: async (principal, shortname) => visible(principal, shortname),
    exists: async (shortname) => stored.has(shortname),
    async setPublished(principal, shortname, published) {
      const changed = { ...own(principal, shortname), published };
      stored.set(shortname, changed);
      return changed;
    },
    async delete(principal, shortname, version) {
      own(principal, shortname);
      if (version !== undefined && version !== 2) throw notFound('version');
      stored.delete(shortname);
    },
    async lookup(principal, shortname, version) {
      const found = visible(principal, shortname).versions.find(
        (one) => version === undefined || one.version === version,
      );
      const deployment = found?.deployments[0];
      if (found === undefined || deployment === undefined) throw notFound('version');
      return { deployment, spec: found.spec };
    },
  };
}
