import type { RequestListener } from 'node:http';
import { stat } from 'node:fs/promises';
import type { Deployment, DeploymentDirectory } from './calls/deployment.ts';
import type { Config } from './config.ts';
import { deskDeployment } from './desk/deployment.ts';
import { type Passes, createPasses } from './desk/passes.ts';
import { deskPlan } from './desk/worker-plan.ts';
import { type DoorOptions, createDoor } from './gateway/desk/serve-door.ts';
import type { Workers } from './languages/language.ts';
import { withSealedAgent } from './languages/sealed-agent.ts';
import { embeddedModelPath } from './compose-ai.ts';

/** What lets the pool run desks beside functions; their door opens last, because everything stands behind it. */
export interface ComposedDesk {
  readonly passes: Passes;
  workers(languages: Workers): Workers;
  loadCode(functions: DeploymentDirectory['loadCode']): DeploymentDirectory['loadCode'];
  directory(functions: Pick<DeploymentDirectory, 'find'>): Pick<DeploymentDirectory, 'find'>;
  open(parts: Omit<DoorOptions, 'configured' | 'passes'>): void;
}

export function composeDesk(config: Config): ComposedDesk {
  let opened: RequestListener | undefined;
  const door: RequestListener = (req, res) => opened?.(req, res);
  const passes = createPasses();
  return {
    passes,
    workers: (languages) => ({
      async worker(request) {
        const { runtime } = request;
        if (runtime !== 'desk') return await languages.worker({ ...request, runtime });
        const plan = deskPlan({ configured: config.models, embedded: await embeddedOf(config), door });
        return withSealedAgent(plan);
      },
    }),
    loadCode: (load) => async (deployment: Deployment) =>
      deployment.runtime === 'desk' ? new Map() : await load(deployment),
    directory: (functions) => ({ find: (id) => deskDeployment(id) ?? functions.find(id) }),
    open: (parts) => void (opened = createDoor({ ...parts, configured: config.models, passes })),
  };
}

/** Missing until it is fetched. */
async function embeddedOf(config: Config): Promise<{ path: string; bytes: number } | undefined> {
  const path = embeddedModelPath(config);
  const file = path === undefined ? undefined : await stat(path).catch(() => undefined);
  return path === undefined || file === undefined ? undefined : { path, bytes: file.size };
}
