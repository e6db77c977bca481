import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../server/functions/spec.ts';

/** A call as a model should make it: for each argument the values that are right. */
export interface ExpectedCall {
  readonly function: string;
  /** By path: `city`, or `body.amount` for a field of the JSON body. */
  readonly arguments: Readonly<Record<string, AllowedValues>>;
}

export interface AllowedValues {
  /** Compared whole and exactly; 5 is 5.0, and "5" is not 5. */
  readonly values: readonly Json[];
  /** It may be left out, too. */
  readonly isOptional: boolean;
}

export interface MadeCall {
  readonly function: string;
  /** Undefined when what the model wrote is no JSON object. */
  readonly arguments: Arguments | undefined;
}

export type Arguments = { readonly [name: string]: Json };

/** The first thing that is wrong; undefined when the calls are the expected ones, in any order. */
export type CallFault = 'no call' | 'needless call' | 'number of calls' | 'function' | 'arguments';

export function checkCalls(
  expected: readonly ExpectedCall[],
  made: readonly MadeCall[],
): CallFault | undefined {
  if (expected.length === 0) return made.length === 0 ? undefined : 'needless call';
  if (made.length === 0) return 'no call';
  if (expected.length !== made.length) return 'number of calls';
  if (!canPair(expected, made, (wanted, call) => wanted.function === call.function)) return 'function';
  return canPair(expected, made, isRight) ? undefined : 'arguments';
}

/** Whether each expected call has a made one of its own; two may both fit the same. */
function canPair(
  expected: readonly ExpectedCall[],
  made: readonly MadeCall[],
  fits: (wanted: ExpectedCall, call: MadeCall) => boolean,
): boolean {
  const [wanted, ...rest] = expected;
  if (wanted === undefined) return true;
  return made.some((call, at) => fits(wanted, call) && canPair(rest, made.toSpliced(at, 1), fits));
}

function isRight(wanted: ExpectedCall, call: MadeCall): boolean {
  if (wanted.function !== call.function || call.arguments === undefined) return false;
  const given = new Map(flatArguments(call.arguments));
  const allowed = Object.entries(wanted.arguments);
  const isKnown = [...given.keys()].every((path) => Object.hasOwn(wanted.arguments, path));
  return (
    isKnown &&
    allowed.every(([path, { values, isOptional }]) => {
      const value = given.get(path);
      return value === undefined ? isOptional : values.some((one) => isDeepStrictEqual(one, value));
    })
  );
}

/** Fields of the body one by one, so that each has its own allowed values. */
export function flatArguments({ body, ...others }: Arguments): [path: string, value: Json][] {
  if (body === undefined) return Object.entries(others);
  if (!isObject(body)) return [...Object.entries(others), ['body', body]];
  const fields = Object.entries(body).map(([name, value]): [string, Json] => [`body.${name}`, value]);
  return [...Object.entries(others), ...fields];
}

export function isObject(value: Json): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
