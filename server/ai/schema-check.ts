import { Script, createContext } from 'node:vm';
import { type ErrorObject, Ajv2020 } from 'ajv/dist/2020.js';
import type { Json } from '../functions/spec.ts';

/** What is wrong with a value, in words for a model; empty when it fits. */
export type SchemaCheck = (value: Json) => readonly string[];

const FAULTS_MAX = 10;
const FAULT_LENGTH_MAX = 300;
/** Of this thread's processor, not by the clock: on a busy machine a thread waits for its turn longer than a check runs. */
const CHECK_CPU_MS = 100;

/** A schema was checked when it came in: the metaschema, costly to compile, is not needed again. */
const OPTIONS = {
  logger: false,
  strict: false,
  allErrors: true,
  meta: false,
  validateSchema: false,
} as const;

/** `schema` has passed `cleanSchema`, alone or as part of a tool's declaration. */
export function compileCheck(schema: Json): SchemaCheck {
  const validate = new Ajv2020(OPTIONS).compile(schema as object);
  return (value) => {
    const fits = within(CHECK_CPU_MS, () => validate(value));
    if (fits === undefined) return ['/ takes too long to check against the schema: send less'];
    return fits ? [] : (validate.errors ?? []).slice(0, FAULTS_MAX).map(inWords);
  };
}

function inWords({ instancePath, keyword, message = 'is wrong', params }: ErrorObject): string {
  const place = instancePath === '' ? '/' : instancePath;
  const detail =
    keyword === 'additionalProperties'
      ? `: ${String(params['additionalProperty'])}`
      : keyword === 'enum'
        ? `: ${JSON.stringify(params['allowedValues'])}`
        : '';
  return `${place} ${message}${detail}`.slice(0, FAULT_LENGTH_MAX);
}

const context = createContext({ run: undefined as (() => unknown) | undefined });
const call = new Script('run()');

/**
 * Undefined when it took too long or too deep. Schemas are uploaded by strangers, and a small one whose references
 * fan out can keep a processor busy for years; this thread serves everybody.
 */
function within<T>(cpuMs: number, run: () => T): T | undefined {
  const from = process.threadCpuUsage();
  context['run'] = run;
  try {
    return call.runInContext(context, { timeout: cpuMs }) as T;
  } catch (error) {
    const { user, system } = process.threadCpuUsage(from);
    const isTimedOut = (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    const leftMs = Math.floor(cpuMs - (user + system) / 1000);
    return isTimedOut && leftMs > 0 ? within(leftMs, run) : undefined;
  } finally {
    context['run'] = undefined;
  }
}
