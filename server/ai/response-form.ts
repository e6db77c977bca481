import { cleanSchema } from '../functions/schema-hygiene.ts';
import type { Json } from '../functions/spec.ts';
import { aiErrors } from './errors.ts';
import { compileCheck } from './schema-check.ts';

/** The JSON that an answer has to be. */
export interface ResponseForm {
  readonly schema: Json;
  readonly instruction: string;
  /** The answer as JSON text, or what is wrong with it. */
  read(
    text: string,
  ): { readonly json: string; readonly faults?: never } | { readonly json?: never; readonly faults: string };
}

/** `schema` is the caller's. Throws `ai.bad_response_schema`. */
export function createResponseForm(raw: Json): ResponseForm {
  const cleaned = cleanSchema(raw, '');
  if (cleaned.faults !== undefined) throw aiErrors.badResponseSchema(cleaned.faults);
  const { schema } = cleaned;
  const check = compileCheck(schema);
  return {
    schema,
    instruction: `Answer with JSON of this schema and nothing else: ${JSON.stringify(schema)}`,
    read(text) {
      const json = bare(text);
      const value = parse(json);
      const found = value === undefined ? ['it is not JSON'] : check(value);
      return found.length === 0 ? { json } : { faults: found.join('; ') };
    },
  };
}

/** Models like to put JSON into a Markdown fence. */
function bare(text: string): string {
  const trimmed = text.trim();
  return /^```(?:json)?\n([^]*?)\n?```$/.exec(trimmed)?.[1]?.trim() ?? trimmed;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
