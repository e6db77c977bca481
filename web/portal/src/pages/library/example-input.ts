import type { LibraryRequirements } from '../../../../../contract/compatible.ts';
import { decodeText } from './functions.ts';

/** What a function could be called with, from the examples of its author. */
export interface ExampleInput {
  readonly query: Readonly<Record<string, string>>;
  /** Undefined where the function takes no JSON, or its author gave no example. */
  readonly json: unknown;
  /** Name of a file of the kind that it takes; undefined where it takes none. */
  readonly file: string | undefined;
}

export function exampleInput(requirements: LibraryRequirements): ExampleInput {
  const { queryParams, inputType, inputJsonExample, inputFileSchema } = requirements;
  const query = queryParams
    .map((parameter) => [parameter.name, exampleValue(parameter)] as const)
    .filter(([, value]) => value !== '');
  return {
    query: Object.fromEntries(query),
    json: inputType === 'JSON' ? parsed(decodeText(inputJsonExample ?? '')) : undefined,
    file: inputType === 'FILE' ? `input.${inputFileSchema?.extensions[0] ?? 'bin'}` : undefined,
  };
}

/** Authors write `name=foo`, or the value alone. */
export function exampleValue({
  name,
  exampleData,
}: {
  readonly name: string;
  readonly exampleData: string;
}): string {
  return exampleData.startsWith(`${name}=`) ? exampleData.slice(name.length + 1) : exampleData;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
