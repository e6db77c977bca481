import type { RequestListener } from 'node:http';
import type { Accounts } from './accounts/accounts.ts';
import type { Deployment, DeploymentDirectory } from './calls/deployment.ts';
import type { Config } from './config.ts';
import { deskDeployment, isDesk } from './desk/deployment.ts';
import { type Passes, createPasses } from './desk/passes.ts';
import { deskPlan } from './desk/worker-plan.ts';
import { type DoorOptions, createDoor } from './gateway/desk/serve-door.ts';
import type { Workers } from './languages/language.ts';
import { withSealedAgent } from './languages/sealed-agent.ts';
import { modelEngineNeeds } from './models/embedded-engine.ts';
import { embeddedModelPath } from './compose-ai.ts';

/** What lets the pool run desks beside functions; their door opens last, because everything stands behind it. */
export interface ComposedDesk {
  readonly passes: Passes;
  workers(languages: Workers): Workers;
  loadCode(functions: DeploymentDirectory['loadCode']): DeploymentDirectory['loadCode'];
  directory(functions: Pick<DeploymentDirectory, 'find'>): Pick<DeploymentDirectory, 'find'>;
  open(parts: Omit<DoorOptions, 'configured' | 'embeddings' | 'passes'>): void;
}

export function composeDesk(config: Config, accounts: Pick<Accounts, 'unlock'>): ComposedDesk {
  let opened: RequestListener | undefined;
  const door: RequestListener = (req, res) => opened?.(req, res);
  const passes = createPasses(accounts);
  return {
    passes,
    workers: (languages) => ({
      async worker(request) {
        const { runtime } = request;
        if (!isDesk(runtime)) return await languages.worker({ ...request, runtime });
        const { models, embeddings } = config;
        const modelPath = embeddedModelPath(config);
        const embedded = modelPath === undefined ? undefined : await modelEngineNeeds(modelPath);
        return withSealedAgent(deskPlan(runtime, { models, embeddings, embedded, door }));
      },
    }),
    loadCode: (load) => async (deployment: Deployment) =>
      isDesk(deployment.runtime) ? new Map() : await load(deployment),
    directory: (functions) => ({ find: (id) => deskDeployment(id) ?? functions.find(id) }),
    open: (parts) =>
      void (opened = createDoor({
        ...parts,
        configured: config.models,
        embeddings: config.embeddings,
        passes,
      })),
  };
}
