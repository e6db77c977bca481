import { QUESTIONS_ID } from '../../clients/sdk/src/sealed/index.ts';
import type { Deployment } from '../calls/deployment.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { AccountId, DeploymentId } from '../kernel/ids.ts';

/**
 * The platform's own services as deployments: what is sealed to them goes the way of any sealed call, into a jail of its
 * caller's own, and is recorded as the same request in the clear is.
 */
const QUESTIONS: Deployment = {
  id: QUESTIONS_ID as DeploymentId,
  functionId: REQUEST_IDS.question,
  ownerId: 'acct_00000000000000000000' as AccountId,
  shortname: 'questions',
  version: 1,
  size: 'm',
  runtime: 'desk',
  layer: null,
  entrypoint: '',
  published: true,
  egress: [],
  // More than a question may take (`queryLimits`), so that the desk says itself that one took too long.
  timeoutMs: 90_000,
  corsOrigins: [],
};

/** Undefined for the ids of functions. */
export function deskDeployment(id: string): Deployment | undefined {
  return id === QUESTIONS.id ? QUESTIONS : undefined;
}
