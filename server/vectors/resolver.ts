import type { FunctionTools, ToolCaller } from '../ai/function-tool.ts';
import type { DatabaseFile } from '../databases/databases.ts';
import type { SearchHit, Span, VectorEngine } from './engine/vector-engine.ts';
import { vectorErrors } from './errors.ts';

export interface ResolverOptions {
  readonly engine: Pick<VectorEngine, 'matches'>;
  readonly tools: Pick<FunctionTools, 'named'>;
}

export interface Resolution {
  readonly hits: readonly SearchHit[];
  readonly changed: readonly Span[];
}

/**
 * Lets the account's own function bring the texts of a strict database, through the same way as a direct call. Only
 * what is, by its keyed hash, the text that was embedded is passed on; the rest has changed.
 */
export async function resolveTexts(
  { engine, tools }: ResolverOptions,
  {
    file,
    resolver,
    hits,
    caller,
  }: {
    readonly file: DatabaseFile;
    readonly resolver: string;
    readonly hits: readonly SearchHit[];
    readonly caller: ToolCaller;
  },
): Promise<Resolution> {
  const placed = hits.filter((hit): hit is SearchHit & { span: Span } => hit.span !== null);
  if (placed.length === 0) return { hits, changed: [] };
  const passages = placed.map(({ span: { documentId, start, end } }) => ({ documentId, start, end }));
  const texts = await callResolver(tools, { resolver, passages, caller });
  const brought = placed.map(({ id }, at) => ({ id, text: texts[at] ?? null }));
  const given = brought.filter((one): one is { id: string; text: string } => one.text !== null);
  const right = await engine.matches(file, given);
  const textOf = new Map(given.filter((_, at) => right[at] === true).map(({ id, text }) => [id, text]));
  return {
    hits: hits
      .filter(({ id, span }) => span === null || textOf.has(id))
      .map((hit) => ({ ...hit, text: textOf.get(hit.id) ?? hit.text })),
    changed: placed.filter(({ id }) => !textOf.has(id)).map(({ span }) => span),
  };
}

async function callResolver(
  tools: Pick<FunctionTools, 'named'>,
  {
    resolver,
    passages,
    caller,
  }: {
    readonly resolver: string;
    readonly passages: readonly { documentId: string; start: number; end: number }[];
    readonly caller: ToolCaller;
  },
): Promise<readonly (string | null)[]> {
  const [tool] = await tools.named(caller.principal, [resolver]);
  const args = { body: { passages: passages.map((passage) => ({ ...passage })) } };
  if (tool === undefined || tool.check(args).length > 0)
    throw vectorErrors.resolverFailed('does not take what it is asked.');
  const { ok, status, bytes, truncated } = await tool.call(args, caller);
  if (!ok)
    throw vectorErrors.resolverFailed(
      status === null ? 'did not answer.' : `answered with status ${status}.`,
    );
  if (truncated) throw vectorErrors.resolverFailed('answered more than is read.');
  const texts = textsOf(Buffer.from(bytes).toString('utf8'));
  if (texts?.length !== passages.length)
    throw vectorErrors.resolverFailed('answered something else than one text for each passage.');
  return texts;
}

function textsOf(json: string): (string | null)[] | undefined {
  try {
    const { texts } = JSON.parse(json) as { texts?: unknown };
    const isRight = (text: unknown): text is string | null => text === null || typeof text === 'string';
    return Array.isArray(texts) && texts.every(isRight) ? texts : undefined;
  } catch {
    return undefined;
  }
}
