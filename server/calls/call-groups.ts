import type { AccountId, DeploymentId } from '../kernel/ids.ts';
import type { CallGroup } from './call-group.ts';
import type { Deployment } from './deployment.ts';

/** Call groups by deployment and calling account. */
export class CallGroups {
  readonly #groups = new Map<DeploymentId, Map<AccountId, CallGroup>>();
  readonly #create: (deployment: Deployment, caller: AccountId) => CallGroup;

  constructor(create: (deployment: Deployment, caller: AccountId) => CallGroup) {
    this.#create = create;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  find(deploymentId: DeploymentId, caller: AccountId): CallGroup | undefined {
    return this.#groups.get(deploymentId)?.get(caller);
  }

  obtain(deployment: Deployment, caller: AccountId): CallGroup {
    let accounts = this.#groups.get(deployment.id);
    if (accounts === undefined) this.#groups.set(deployment.id, (accounts = new Map()));
    let group = accounts.get(caller);
    if (group === undefined) accounts.set(caller, (group = this.#create(deployment, caller)));
    return group;
  }

  /** Removes a deployment's groups. */
  take(deploymentId: DeploymentId): CallGroup[] {
    const accounts = this.#groups.get(deploymentId);
    this.#groups.delete(deploymentId);
    return [...(accounts?.values() ?? [])];
  }

  /** Removes the groups of one calling account. */
  takeOf(caller: AccountId): CallGroup[] {
    const taken: CallGroup[] = [];
    for (const accounts of this.#groups.values()) {
      const group = accounts.get(caller);
      if (group !== undefined) taken.push(group);
      accounts.delete(caller);
    }
    return taken;
  }

  list(): CallGroup[] {
    return [...this.#groups.values()].flatMap((accounts) => [...accounts.values()]);
  }

  /** Forgets groups that hold nothing worth keeping. */
  sweep(): void {
    for (const [deploymentId, accounts] of this.#groups) {
      for (const [caller, group] of accounts) if (group.isEmpty) accounts.delete(caller);
      if (accounts.size === 0) this.#groups.delete(deploymentId);
    }
  }
}
