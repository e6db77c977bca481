import { buffer } from 'node:stream/consumers';
import type { Principal } from '../../accounts/principal.ts';
import type { CallRecord } from '../../calls/call-record.ts';
import type { Deployment } from '../../calls/deployment.ts';
import type { Call, CallHandler, Invoke } from '../../calls/invoke.ts';
import { type ManualTime, createManualTime } from '../../calls/testing/manual-time.ts';
import { deploymentOf } from '../../calls/testing/rig.ts';
import { parseSpec } from '../../functions/parse-spec.ts';
import type { FunctionSpec } from '../../functions/spec.ts';
import { type PlatformError, notFound } from '../../kernel/errors.ts';
import type { AccountId, ApiKeyId, DeploymentId, FunctionId } from '../../kernel/ids.ts';
import type { ChatModel } from '../../models/chat-model.ts';
import { createFunctionTools } from '../create-function-tools.ts';
import { createQueries } from '../create-queries.ts';
import type { FunctionTools } from '../function-tool.ts';
import { type QueryLimits, queryLimits } from '../limits.ts';
import type { OutsideTools } from '../outside-tools.ts';
import type { Query, QueryAnswer, QueryEvent } from '../query.ts';

export const ALICE: Principal = {
  accountId: 'acct_00000000000000000001' as AccountId,
  keyId: 'key_00000000000000000001' as ApiKeyId,
  role: 'member',
};
export const BOB: Principal = { ...ALICE, accountId: 'acct_00000000000000000002' as AccountId };

/** What a function's code saw of a call. */
export interface SeenCall {
  readonly shortname: string;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly call: Call;
}

export type FunctionAnswer =
  | { readonly status?: number; readonly type?: string; readonly body?: string | Uint8Array }
  | { readonly error: PlatformError }
  /** Does not answer until it is cancelled. */
  | 'never';

export interface QueryRig {
  readonly tools: FunctionTools;
  readonly seen: SeenCall[];
  /** Calls that were cancelled. */
  readonly cancelled: string[];
  readonly records: CallRecord[];
  readonly time: ManualTime;
  readonly deployments: Map<string, Deployment>;
  /** None unless a test puts some here. */
  sources: OutsideTools;
  answer: (seen: SeenCall) => FunctionAnswer | Promise<FunctionAnswer>;
  deploy(spec: object, over?: Partial<Deployment>): void;
  /** A function with the query parameter `city`. */
  deployWeather(over?: Partial<Deployment>): void;
  retire(shortname: string): void;
  /** Asks as Alice about the weather unless `query` says otherwise. */
  ask(model: ChatModel, query?: Partial<Query>): Asked;
}

export interface Asked {
  readonly answer: Promise<QueryAnswer>;
  readonly events: QueryEvent[];
}

/** The loop and the functions' tools as they are; functions, models and time are the test's. */
export function createQueryRig(limits: Partial<QueryLimits> = {}): QueryRig {
  const specs = new Map<string, FunctionSpec>();
  const time = createManualTime();
  const retired: ((id: DeploymentId) => void)[] = [];
  const callable = (shortname: string) => {
    const deployment = rig.deployments.get(shortname);
    const spec = specs.get(shortname);
    return deployment && spec && { deployment, spec };
  };
  const isVisible = ({ accountId }: Principal, { ownerId, published }: Deployment): boolean =>
    published || ownerId === accountId;

  const tools = createFunctionTools({
    functions: {
      async lookup(principal, shortname) {
        const found = callable(shortname);
        if (found === undefined || !isVisible(principal, found.deployment)) throw notFound('function');
        return found;
      },
      catalogue: async (principal) =>
        [...specs.keys()]
          .map(callable)
          .filter((found) => found !== undefined)
          .filter(({ deployment }) => isVisible(principal, deployment)),
    },
    directory: {
      find: (id) => [...rig.deployments.values()].find((one) => one.id === id),
      onRetired: (listener) => void retired.push(listener),
    },
    invoke: invokeOf(() => rig),
    clock: time,
  });
  const rig: QueryRig = {
    tools,
    seen: [],
    cancelled: [],
    records: [],
    time,
    deployments: new Map(),
    sources: { open: async () => ({ tools: [], withheld: [], close: () => undefined }) },
    answer: () => ({ body: '{"fine":true}' }),
    deploy(raw, over = {}) {
      const spec = parseSpec(JSON.stringify({ runtime: 'nodejs24', entrypoint: 'Example', ...raw }));
      const { shortname } = spec;
      specs.set(shortname, spec);
      rig.deployments.set(
        shortname,
        deploymentOf({
          id: `${shortname}-00000000000000000000-1-s` as DeploymentId,
          functionId: `fn_${shortname}` as FunctionId,
          shortname,
          ownerId: ALICE.accountId,
          published: false,
          ...over,
        }),
      );
    },
    deployWeather(over) {
      const queryParams = [{ name: 'city', required: true }];
      rig.deploy({ shortname: 'weather', name: 'Weather', requirements: { queryParams } }, over);
    },
    retire(shortname) {
      const id = rig.deployments.get(shortname)?.id;
      rig.deployments.delete(shortname);
      if (id !== undefined) for (const listener of retired) listener(id);
    },
    ask: (model, query = {}) => askOf(rig, { model, query, limits }),
  };
  return rig;
}

function invokeOf(rig: () => QueryRig): Invoke {
  return (call, handler) => {
    const { shortname } = call.deployment;
    const running = { isOver: false };
    void run(rig(), call, { handler, running });
    return {
      resume: () => undefined,
      cancel: () => {
        if (!running.isOver) rig().cancelled.push(shortname);
        running.isOver = true;
      },
    };
  };
}

async function run(
  rig: QueryRig,
  call: Call,
  { handler, running }: { handler: CallHandler; running: { isOver: boolean } },
): Promise<void> {
  const { method, path, headers, body } = call.request;
  const text = body === null ? '' : (await buffer(body)).toString();
  const seen = { shortname: call.deployment.shortname, method, path, headers, body: text, call };
  rig.seen.push(seen);
  const answer = await rig.answer(seen);
  if (answer === 'never' || running.isOver) return;
  running.isOver = true;
  if ('error' in answer) {
    handler.onError(answer.error);
    return;
  }
  handler.onStart(answer.status ?? 200, 'OK', ['Content-Type', answer.type ?? 'application/json']);
  if (answer.body !== undefined) handler.onData(Buffer.from(answer.body as Uint8Array));
  handler.onEnd();
}

interface Question {
  readonly model: ChatModel;
  readonly query: Partial<Query>;
  readonly limits: Partial<QueryLimits>;
}

function askOf({ records, sources, time, tools }: QueryRig, { model, query, limits }: Question): Asked {
  const events: QueryEvent[] = [];
  const queries = createQueries({
    models: { select: async () => model },
    tools,
    sources,
    recorder: {
      admit: () => undefined,
      add: (record) => void records.push(record),
      whenRoom: (task) => task(),
    },
    clock: time,
    scheduler: time,
    limits: { ...queryLimits, ...limits },
  });
  const weather: Query = {
    principal: ALICE,
    originIp: '192.0.2.7',
    messages: [{ role: 'user', text: 'What is the weather in Bern?' }],
    functions: ['weather'],
    platform: undefined,
    signal: new AbortController().signal,
  };
  const answer = queries.ask({ ...weather, ...query }, (event) => events.push(event));
  answer.catch(() => undefined);
  return { answer, events };
}
