import type { FunctionResource } from '../../../../../contract/api-v1.ts';

export const SHOWN = ['all', 'mine', 'published'] as const;
export type Shown = (typeof SHOWN)[number];

export interface Filter {
  readonly words: string;
  readonly tags: ReadonlySet<string>;
  readonly shown: Shown;
}

/** Functions with every word somewhere in name, description or tags, and with every chosen tag. */
export function filterFunctions(
  functions: readonly FunctionResource[],
  { words, tags, shown }: Filter,
): readonly FunctionResource[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return functions.filter((fn) => {
    if (shown === 'mine' && !fn.mine) return false;
    if (shown === 'published' && !fn.published) return false;
    if ([...tags].some((tag) => !fn.tags.includes(tag))) return false;
    const text = [fn.name, fn.shortname, fn.description, fn.ownerName, ...fn.tags].join(' ').toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

export function tagsOf(functions: readonly FunctionResource[]): string[] {
  return [...new Set(functions.flatMap(({ tags }) => tags))].toSorted();
}
