import type { JailBind } from '../sandbox/jail.ts';
import { guestFile } from './guest-files.ts';
import type { AgentPlan, WorkerPlan } from './language.ts';

const DIRECTORY = '/opt/jellyfaas/sealed';
const NODE = `${DIRECTORY}/node`;
const AGENT: AgentPlan = { memoryMib: 192, tasks: 24, socketName: 'sealed.sock' };

/** The agent and what it imports, as they lie in the source tree. */
const SOURCES = [
  'package.json',
  'guest/sealed',
  'clients/sdk/src/sealed',
  'server/gateway/data/headers.ts',
  'server/gateway/data/methods.ts',
];
const BINDS: readonly JailBind[] = [
  { source: process.execPath, target: NODE },
  ...SOURCES.map((path) => ({ source: guestFile(`../${path}`), target: `${DIRECTORY}/${path}` })),
];

/** The same worker in a jail whose first process is the agent that opens sealed calls (see guest/sealed). */
export function withSealedAgent(plan: WorkerPlan): WorkerPlan {
  return {
    ...plan,
    argv: [NODE, `${DIRECTORY}/guest/sealed/agent.ts`, ...plan.argv],
    binds: [...plan.binds, ...BINDS],
    preboot: false,
    agent: AGENT,
  };
}
