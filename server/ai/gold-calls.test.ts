import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Json } from '../functions/spec.ts';
import { type QueryRig, createQueryRig } from './testing/query-rig.ts';
import { calls, says, scriptedChatModel } from './testing/scripted-chat-model.ts';

/** Calls that a perfect model would make, replayed: all of them run; each of their mutations is refused before. */
interface Case {
  readonly class: 'simple' | 'multiple' | 'parallel' | 'irrelevance';
  readonly question: string;
  readonly functions: readonly string[];
  readonly calls: readonly { readonly function: string; readonly arguments: Arguments }[];
}
type Arguments = { readonly [name: string]: Json };

interface Schema {
  readonly type?: string;
  readonly enum?: readonly Json[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as T;
}

const cases = fixture<Case[]>('cases');
const functions = fixture<{ shortname: string }[]>('functions');

function rigWithAll(): QueryRig {
  const rig = createQueryRig();
  for (const spec of functions) rig.deploy(spec);
  return rig;
}

describe('recorded calls', () => {
  it('are enough of each class', () => {
    const count = (of: Case['class']): number => cases.filter((one) => one.class === of).length;
    expect(functions.length).toBeGreaterThanOrEqual(60);
    expect(cases.length).toBeGreaterThanOrEqual(200);
    expect([count('simple'), count('multiple'), count('parallel'), count('irrelevance')]).toEqual([
      110, 50, 30, 15,
    ]);
  });

  it('all reach their functions with exactly these arguments', async () => {
    const rig = rigWithAll();
    for (const { question, functions: offered, calls: gold } of cases) {
      rig.seen.length = 0;
      const turn = calls(
        ...gold.map(({ function: name, arguments: args }) => [name, args] as [string, Json]),
      );
      const model = scriptedChatModel(gold.length === 0 ? [says('No.')] : [turn, says('Done.')]);
      const { answer } = rig.ask(model, {
        messages: [{ role: 'user', text: question }],
        functions: offered,
      });
      expect((await answer).finish).toBe('complete');
      const byName = (a: string, b: string): number => a.localeCompare(b);
      expect(rig.seen.map(received).toSorted(byName), question).toEqual(
        gold.map(({ function: name, arguments: args }) => sent(name, args)).toSorted(byName),
      );
    }
  });

  function received({ shortname, path, body }: QueryRig['seen'][number]): string {
    return `${shortname} ${new URL(path, 'http://x').searchParams.toString()} ${body}`;
  }

  function sent(name: string, { body, file, ...query }: Arguments): string {
    const texts = Object.entries(query).map(([key, value]) => [key, value] as [string, string]);
    const bytes =
      file === undefined ? '' : Buffer.from((file as { base64: string }).base64, 'base64').toString();
    return `${name} ${new URLSearchParams(texts).toString()} ${body === undefined ? bytes : JSON.stringify(body)}`;
  }
});

describe('mutations of recorded calls', () => {
  const all = cases.flatMap((one) => one.calls.map((call) => ({ ...call, offered: one.functions })));

  it('are all refused before anything runs', async () => {
    const rig = rigWithAll();
    let count = 0;
    for (const { function: name, arguments: args, offered } of all) {
      const [tool] = await rig.tools.named(
        { accountId: ownerOf(rig), keyId: 'key_x' as never, role: 'member' },
        [name],
      );
      const schema = tool?.declaration.parameters as Schema;
      for (const mutant of mutations(schema, args)) {
        count++;
        expect(tool?.check(mutant), `${name} ${JSON.stringify(mutant)}`).not.toEqual([]);
        const { answer } = rig.ask(scriptedChatModel([calls([name, mutant]), says('No.')]), {
          functions: offered,
        });
        expect((await answer).trace.map(({ type }) => type)).toEqual(['tool-refused']);
      }
    }
    expect(rig.seen).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(500);
  });

  function ownerOf(rig: QueryRig): never {
    return [...rig.deployments.values()][0]?.ownerId as never;
  }
});

/** Wrong type, missing, extra and bad enum, at the top and below `body`. */
function* mutations(schema: Schema, value: Arguments): Generator<Arguments> {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (additionalProperties === false) yield { ...value, unheardOf: 1 };
  for (const name of required) {
    const { [name]: _, ...rest } = value;
    yield rest;
  }
  for (const [name, property] of Object.entries(properties)) {
    const held = value[name];
    if (held === undefined) continue;
    yield { ...value, [name]: property.type === 'string' ? 12 : 'text' };
    yield { ...value, [name]: null };
    if (property.enum !== undefined) yield { ...value, [name]: 'none-of-them' };
    if (property.type === 'object')
      for (const inner of mutations(property, held as Arguments)) yield { ...value, [name]: inner };
  }
}
