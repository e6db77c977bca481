import { createHash } from 'node:crypto';
import type { Tool } from '@modelcontextprotocol/client';
import { cleanSchema } from '../functions/schema-hygiene.ts';
import type { Json } from '../functions/spec.ts';
import { ARGUMENT_NAME, DESCRIPTION_LENGTH_MAX } from '../functions/tool-declaration.ts';
import type { ToolDeclaration } from '../models/chat-model.ts';

/** What an approval stands for: everything of a definition that tells people or models what the tool is. */
export function hashOf({ name, title, description, inputSchema, outputSchema, annotations }: Tool): string {
  const told = { name, title, description, inputSchema, outputSchema, annotations };
  return createHash('sha256').update(canonical(told)).digest('hex');
}

/** JSON with sorted keys: the order in which a server happens to write them is no change. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** Formatting and tag characters: whoever approves has to see all of it. Joiners belong to scripts and emoji. */
const HIDDEN = /[[\p{Cf}\u{e0000}-\u{e0fff}]--[\u200c\u200d]]/v;

/** A tool as a model is shown it, or why it cannot be. */
export type Declared =
  | { readonly declaration: ToolDeclaration; readonly fault?: never }
  | { readonly declaration?: never; readonly fault: string };

/** No underscore is in a source's name and none in a function's, so no two tools of a question have one name. */
export function declare(source: string, tool: Tool): Declared {
  const { name, title, description, inputSchema } = tool;
  const shownName = `${source}__${name}`;
  if (!/^[\w-]{1,64}$/.test(shownName)) {
    return {
      fault: 'Models only take names of A-Z, a-z, 0-9, "_" and "-", at most 64 with the name of the source.',
    };
  }
  if (HIDDEN.test(JSON.stringify([title, description, inputSchema]))) {
    return { fault: 'It contains characters that people cannot see and models read.' };
  }
  const cleaned = cleanSchema(inputSchema as Json, '');
  if (cleaned.faults !== undefined)
    return { fault: cleaned.faults.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join(' ') };
  const { schema } = cleaned;
  const { properties = {} } = schema as { readonly properties?: object };
  if (!Object.keys(properties).every((property) => ARGUMENT_NAME.test(property))) {
    return {
      fault: 'Models only take arguments whose names are 1 to 64 of A-Z, a-z, 0-9, "_", "-" and ".".',
    };
  }
  const shown = (description ?? title ?? name).slice(0, DESCRIPTION_LENGTH_MAX).toWellFormed();
  return { declaration: { name: shownName, description: shown, parameters: schema } };
}
