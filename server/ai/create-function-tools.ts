import type { Principal } from '../accounts/principal.ts';
import { type Deployment, type DeploymentDirectory, mayCall } from '../calls/deployment.ts';
import type { Invoke } from '../calls/invoke.ts';
import type { Functions } from '../functions/functions.ts';
import type { FunctionSpec, Json } from '../functions/spec.ts';
import { toolDeclarationOf } from '../functions/tool-declaration.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlatformError, notFound } from '../kernel/errors.ts';
import type { DeploymentId } from '../kernel/ids.ts';
import { LruMap } from '../kernel/lru-map.ts';
import { callFunction, unanswered } from './call-function.ts';
import type { FunctionTool, FunctionTools } from './function-tool.ts';
import { QUERY_BYTES_MAX, queryOf } from './function-request.ts';
import { type SchemaCheck, compileCheck } from './schema-check.ts';

export interface FunctionToolsOptions {
  readonly functions: Pick<Functions, 'lookup' | 'catalogue'>;
  readonly directory: Pick<DeploymentDirectory, 'find' | 'onRetired'>;
  readonly invoke: Invoke;
  readonly clock: Clock;
}

/** Compiled schemas of the functions used last; a deleted function takes its own along. */
const CHECKS_MAX = 500;

export function createFunctionTools(options: FunctionToolsOptions): FunctionTools {
  const { functions, directory } = options;
  const checks = new LruMap<string, SchemaCheck>(CHECKS_MAX);
  directory.onRetired((id) => {
    checks.take(id);
    checks.take(answerKey(id));
  });

  function checkOf(key: string, schema: Json): SchemaCheck {
    const known = checks.get(key);
    if (known !== undefined) return known;
    const check = compileCheck(schema);
    checks.set(key, check);
    return check;
  }

  function toolOf(found: { deployment: Deployment; spec: FunctionSpec }): FunctionTool | undefined {
    const { deployment, spec } = found;
    const { declaration } = toolDeclarationOf(spec);
    if (declaration === undefined) return undefined;
    const outputSchema = spec.output.type === 'JSON' ? spec.output.schema : undefined;
    return {
      declaration,
      isReadOnly: spec.requestType === 'GET',
      isOpenWorld: spec.egress.length > 0,
      outputSchema,
      checkAnswer: (answer) =>
        outputSchema === undefined ? [] : checkOf(answerKey(deployment.id), outputSchema)(answer),
      check: (args) => {
        const faults = checkOf(deployment.id, declaration.parameters)(args);
        if (faults.length > 0) return faults;
        const isLong = queryOf(spec, args).length > QUERY_BYTES_MAX;
        return isLong ? [`/ has query parameters longer than ${QUERY_BYTES_MAX} bytes together`] : [];
      },
      async call(args, caller) {
        // Withdrawn or deleted since the tool was found: the rights of this moment count, as for a direct call.
        const live = directory.find(deployment.id);
        if (live === undefined || !mayCall(caller.principal.accountId, live))
          return unanswered(notFound('function'));
        return await callFunction(options, { deployment: live, spec, args, caller });
      },
    };
  }

  return {
    async named(principal: Principal, shortnames: readonly string[]) {
      const tools: FunctionTool[] = [];
      for (const shortname of new Set(shortnames)) {
        const tool = toolOf(await functions.lookup(principal, shortname));
        if (tool === undefined) throw notATool(shortname);
        tools.push(tool);
      }
      return tools;
    },
    async library(principal, { includePublished }) {
      const callable = await functions.catalogue(principal);
      return callable
        .filter(({ deployment }) => includePublished || deployment.ownerId === principal.accountId)
        .map(toolOf)
        .filter((tool) => tool !== undefined);
    },
  };
}

function answerKey(id: DeploymentId): string {
  return `${id}/answer`;
}

function notATool(shortname: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'ai.not_a_tool',
    message: `The function ${shortname} cannot be called by a model: its query parameters have names that models cannot use. Rename them in jellyspec.json and deploy again.`,
  });
}
