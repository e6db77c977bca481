import { QUESTIONS_ID, VECTORS_ID } from '../../clients/sdk/src/sealed/index.ts';
import type { Deployment } from '../calls/deployment.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { AccountId, DeploymentId } from '../kernel/ids.ts';
import type { DeskRuntime, WorkerRuntime } from '../languages/language.ts';

const SERVICE = {
  ownerId: 'acct_00000000000000000000' as AccountId,
  version: 1,
  layer: null,
  entrypoint: '',
  published: true,
  egress: [],
  corsOrigins: [],
} as const;

/**
 * The platform's own services as deployments: what is sealed to them goes the way of any sealed call, into a jail of its
 * caller's own, and is recorded as the same request in the clear is.
 */
const DESKS: readonly Deployment[] = [
  {
    ...SERVICE,
    id: QUESTIONS_ID as DeploymentId,
    functionId: REQUEST_IDS.question,
    shortname: 'questions',
    runtime: 'questions',
    size: 'm',
    // More than a question may take (`queryLimits`), so that the desk says itself that one took too long.
    timeoutMs: 90_000,
  },
  {
    ...SERVICE,
    id: VECTORS_ID as DeploymentId,
    functionId: REQUEST_IDS.vectors,
    shortname: 'vectors',
    runtime: 'vectors',
    size: 'l',
    // A document is answered when it can be searched; more than it may take (`vectorLimits`).
    timeoutMs: 31 * 60_000,
  },
];

export function isDesk(runtime: WorkerRuntime): runtime is DeskRuntime {
  return DESKS.some((desk) => desk.runtime === runtime);
}

/** Undefined for the ids of functions. */
export function deskDeployment(id: string): Deployment | undefined {
  return DESKS.find((desk) => desk.id === id);
}
