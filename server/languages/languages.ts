import type { AccountId, LayerId } from '../kernel/ids.ts';
import type { Jail } from '../sandbox/jail.ts';
import { createGoLanguage } from './go.ts';
import { createJavaLanguage } from './java.ts';
import type { Language, RuntimeId, RuntimeStatus, WorkerPlan, WorkerRequest } from './language.ts';
import type { PreparableLanguage } from './shared-base.ts';
import { createNodeLanguage } from './node.ts';
import { withSealedAgent } from './sealed-agent.ts';
import { createPythonLanguage } from './python.ts';
import { openToolbox } from './toolbox.ts';

/** All languages of this machine behind one door. */
export interface Languages {
  readonly runtimes: readonly RuntimeStatus[];
  /** The language that serves a runtime, whether or not this machine has it. */
  find(runtime: RuntimeId): Language | undefined;
  worker(request: WorkerRequest): Promise<WorkerPlan>;
  /**
   * Makes the base layer of every runtime, one after another, so that first deploys find it. Needs the registries;
   * without them it gives up quietly, and the first deploy says what is wrong.
   */
  prepare(signal: AbortSignal): Promise<void>;
  /** Removes dependency layers that no version uses any more. */
  collect(referenced: ReadonlySet<LayerId>): Promise<number>;
  /** Forgets what an account's manifests led to. */
  forget(accountId: AccountId): Promise<void>;
}

export interface LanguagesOptions {
  readonly jail: Jail;
  /** `<dataDir>/layers`. */
  readonly layerDirectory: string;
}

export async function openLanguages(options: LanguagesOptions): Promise<Languages> {
  const toolbox = await openToolbox(options);
  const languages: PreparableLanguage[] = [
    createNodeLanguage(toolbox),
    await createPythonLanguage(toolbox),
    createGoLanguage(toolbox),
    createJavaLanguage(toolbox),
  ];
  const find = (id: RuntimeId): Language | undefined =>
    languages.find(({ runtimes }) => runtimes.some((runtime) => runtime.id === id));
  return {
    runtimes: languages.flatMap(({ runtimes }) => runtimes),
    find,
    async worker(request) {
      const language = find(request.runtime);
      if (language === undefined) throw new RangeError(`no language serves ${request.runtime}`);
      const plan = await language.worker(request);
      return request.isSealed ? withSealedAgent(plan) : plan;
    },
    async prepare(signal) {
      for (const language of languages) {
        if (signal.aborted) return;
        await language.prepare().catch(() => undefined);
      }
    },
    collect: (referenced) => toolbox.layers.collect(referenced),
    forget: (accountId) => toolbox.layers.forget(accountId),
  };
}
