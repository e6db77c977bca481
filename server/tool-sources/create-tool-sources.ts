import type { Holder } from '../accounts/principal.ts';
import type { FunctionTool } from '../ai/function-tool.ts';
import type { OpenedTools, WithheldTool } from '../ai/outside-tools.ts';
import type { Json } from '../functions/spec.ts';
import type { EventLog } from '../kernel/events.ts';
import { LruMap } from '../kernel/lru-map.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { createSerial } from '../kernel/serial.ts';
import type { EgressNetwork } from '../sandbox/egress-guard.ts';
import { type Connection, type ListedTool, createConnection } from './connection.ts';
import { type Declared, declare } from './definition.ts';
import { sourceErrors } from './errors.ts';
import { type SourceLimits, sourceLimits } from './limits.ts';
import { outsidePolicy } from '../sandbox/outside-policy.ts';
import { createOutsideTool } from './outside-tool.ts';
import { type OpenSource, newSource, openSource, sealSource } from './sealed-source.ts';
import type { SourceStore } from './source-store.ts';
import type { InspectedTool, ToolSource, ToolSources } from './tool-sources.ts';

export interface ToolSourcesOptions {
  readonly store: SourceStore;
  /** Hosts that the operator allows though they are not public or speak plain HTTP: `host`, or `host:port`. */
  readonly allowedHosts: readonly string[];
  readonly network: EgressNetwork;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
  readonly limits?: Partial<SourceLimits>;
}

const URL_LENGTH_MAX = 2048;
/** Of a tool that is only told of; the protocol allows as many. */
const NAME_LENGTH_MAX = 128;

export function createToolSources(options: ToolSourcesOptions): ToolSources {
  const { store, allowedHosts } = options;
  const limits = { ...sourceLimits, ...options.limits };
  const serial = createSerial();
  const declarations = createDeclarations();
  const connectTo = ({ name, url, token }: OpenSource): Connection =>
    createConnection({ ...options, name, url: new URL(url), token, limits });

  async function sourcesOf(holder: Holder): Promise<OpenSource[]> {
    const rows = await store.list(holder.accountId);
    return rows.map((row) => openSource(holder, row)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function find(holder: Holder, name: string): Promise<OpenSource> {
    const source = (await sourcesOf(holder)).find((one) => one.name === name);
    if (source === undefined) throw sourceErrors.notFound();
    return source;
  }

  return {
    list: async (holder) => (await sourcesOf(holder)).map(describe),
    add: (holder, form) =>
      serial(async () => {
        assertUrl(form.url, allowedHosts);
        const sources = await sourcesOf(holder);
        if (sources.some(({ name }) => name === form.name)) throw sourceErrors.nameTaken();
        if (sources.length >= limits.sourcesPerAccountMax)
          throw sourceErrors.tooMany(limits.sourcesPerAccountMax);
        const source = newSource(form);
        await store.put(sealSource(holder, source));
        return describe(source);
      }),
    async inspect(holder, name, signal) {
      const source = await find(holder, name);
      const connection = connectTo(source);
      const listed = await connection.open(signal);
      connection.close();
      const tools: InspectedTool[] = [];
      for (const one of listed) tools.push(inspected(source, one, await declarations(source.name, one)));
      return { ...describe(source), tools };
    },
    approve: (holder, name, approved) =>
      serial(async () => {
        const source = { ...(await find(holder, name)), approved };
        await store.put(sealSource(holder, source));
        return describe(source);
      }),
    remove: (holder, name) => serial(async () => await store.remove((await find(holder, name)).id)),
    async open(holder, names, signal) {
      const sources = await sourcesOf(holder);
      const wanted = [...new Set(names)].map((name) => {
        const source = sources.find((one) => one.name === name);
        if (source === undefined) throw sourceErrors.notFound();
        if (Object.keys(source.approved).length === 0) throw sourceErrors.nothingApproved(name);
        return source;
      });
      return await openAll(wanted.map((source) => openOne({ source, connectTo, declarations }, signal)));
    },
  };
}

/** Declarations by content, kept over questions: cleaning a schema takes about a millisecond. */
type Declarations = (source: string, listed: ListedTool) => Promise<Declared>;

const DECLARATIONS_MAX = 500;

function createDeclarations(): Declarations {
  const known = new LruMap<string, Declared>(DECLARATIONS_MAX);
  return async (source, { tool, sha256 }) => {
    const key = `${source}\n${sha256}`;
    let declared = known.get(key);
    if (declared === undefined) {
      // A long list of a stranger must not keep the thread that serves everybody.
      await new Promise(setImmediate);
      declared = declare(source, tool);
      known.set(key, declared);
    }
    return declared;
  };
}

function assertUrl(text: string, allowedHosts: readonly string[]): void {
  const url = URL.parse(text);
  const isUsable =
    url !== null &&
    text.length <= URL_LENGTH_MAX &&
    url.username + url.password + url.hash === '' &&
    outsidePolicy(url, allowedHosts) !== undefined;
  if (!isUsable) throw sourceErrors.badUrl();
}

function describe({ name, url, token, approved }: OpenSource): ToolSource {
  return { name, recipient: new URL(url).origin, hasToken: token !== undefined, approved };
}

function stateOf({ approved }: OpenSource, { tool, sha256 }: ListedTool): InspectedTool['state'] {
  if (!Object.hasOwn(approved, tool.name)) return 'new';
  return approved[tool.name] === sha256 ? 'approved' : 'changed';
}

function inspected(source: OpenSource, listed: ListedTool, { fault }: Declared): InspectedTool {
  const { name, title, description, inputSchema } = listed.tool;
  return {
    name,
    description: description ?? title ?? '',
    inputSchema: inputSchema as Json,
    sha256: listed.sha256,
    state: stateOf(source, listed),
    fault,
  };
}

interface Opening {
  readonly source: OpenSource;
  readonly connectTo: (source: OpenSource) => Connection;
  readonly declarations: Declarations;
}

/** Offers what is approved as it is now; throws when that is nothing. */
async function openOne(
  { source, connectTo, declarations }: Opening,
  signal: AbortSignal,
): Promise<OpenedTools> {
  const connection = connectTo(source);
  const tools: FunctionTool[] = [];
  const withheld: WithheldTool[] = [];
  for (const listed of await connection.open(signal)) {
    const { tool } = listed;
    const state = stateOf(source, listed);
    // What is not approved is not even looked at.
    const { declaration } = state === 'approved' ? await declarations(source.name, listed) : {};
    const reason = state === 'approved' ? 'unusable' : state;
    if (declaration !== undefined)
      tools.push(createOutsideTool({ source: source.name, tool, declaration, connection }));
    else withheld.push({ source: source.name, tool: tool.name.slice(0, NAME_LENGTH_MAX), reason });
  }
  if (tools.length > 0) return { tools, withheld, close: () => connection.close() };
  connection.close();
  throw sourceErrors.nothingApproved(source.name);
}

/** All, or none: who named a source expects its tools. */
async function openAll(opening: readonly Promise<OpenedTools>[]): Promise<OpenedTools> {
  const outcomes = await Promise.allSettled(opening);
  const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const close = (): void => {
    for (const one of opened) one.close();
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    close();
    throw failed.reason;
  }
  return {
    tools: opened.flatMap(({ tools }) => tools),
    withheld: opened.flatMap(({ withheld }) => withheld),
    close,
  };
}
