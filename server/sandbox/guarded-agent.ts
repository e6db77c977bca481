import type { Socket } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, buildConnector } from 'undici';
import { EgressRefused, type EgressNetwork } from './egress-guard.ts';
import type { EgressPolicy } from './egress-policy.ts';
import { reach } from './egress-proxy.ts';

export interface GuardedAgentOptions {
  /** Where a connection may lead; undefined for one that is not made at all. `host` is `name` or `name:port`. */
  readonly policyOf: (target: {
    readonly protocol: string;
    readonly host: string;
  }) => EgressPolicy | undefined;
  readonly network: EgressNetwork;
  readonly connections: number;
}

/** An HTTP client's connections of the platform's own, to addresses that were checked and are the ones connected to. */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const secure = buildConnector({ allowH2: false });
  return new Agent({
    connections: options.connections,
    connect: (target, callback) =>
      callbackify(dial)(options, target, (error, httpSocket) => {
        if (error !== null) callback(error, null);
        else if (target.protocol === 'https:') secure({ ...target, httpSocket }, callback);
        else callback(null, httpSocket);
      }),
  });
}

async function dial(
  { policyOf, network }: GuardedAgentOptions,
  { protocol, host = '' }: { readonly protocol: string; readonly host?: string },
): Promise<Socket> {
  const policy = policyOf({ protocol, host });
  if (policy === undefined) throw new EgressRefused('port_not_listed');
  return await reach({ policy, network }, host, protocol === 'https:' ? 443 : 80);
}
