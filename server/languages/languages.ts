import type { LayerId } from '../kernel/ids.ts';
import type { Jail } from '../sandbox/jail.ts';
import { createGoLanguage } from './go.ts';
import { createJavaLanguage } from './java.ts';
import type { Language, RuntimeId, RuntimeStatus, WorkerPlan } from './language.ts';
import { createNodeLanguage } from './node.ts';
import { createPythonLanguage } from './python.ts';
import { openToolbox } from './toolbox.ts';

/** All languages of this machine behind one door. */
export interface Languages {
  readonly runtimes: readonly RuntimeStatus[];
  /** The language that serves a runtime, whether or not this machine has it. */
  find(runtime: RuntimeId): Language | undefined;
  worker(runtime: RuntimeId, layer: LayerId | null): Promise<WorkerPlan>;
  /** Removes dependency layers that no version uses any more. */
  collect(referenced: ReadonlySet<LayerId>): Promise<number>;
}

export interface LanguagesOptions {
  readonly jail: Jail;
  /** `<dataDir>/layers`. */
  readonly layerDirectory: string;
}

export async function openLanguages(options: LanguagesOptions): Promise<Languages> {
  const toolbox = await openToolbox(options);
  const languages: Language[] = [
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
    worker(runtime, layer) {
      const language = find(runtime);
      if (language === undefined) throw new RangeError(`no language serves ${runtime}`);
      return language.worker(runtime, layer);
    },
    collect: (referenced) => toolbox.layers.collect(referenced),
  };
}
