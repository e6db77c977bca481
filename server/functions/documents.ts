import { PlatformError } from '../kernel/errors.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import { parseSpec } from './parse-spec.ts';
import type { FunctionSpec } from './spec.ts';

const DOCUMENT_BYTES_MAX = 256 * 1024;

/** What the library shows of an uploaded tree besides its spec; empty when the file is not there. */
export interface Documents {
  readonly readme: string;
  readonly changelogText: string;
}

/** Where the settings of a function lie in what its author uploads; what a compiler makes has none. */
const SPEC_FILE = 'jellyspec.json';

/** Whether a tree is what an author uploads, which can be deployed. */
export function isSource(tree: SourceTree): boolean {
  return tree.has(SPEC_FILE);
}

/** Errors: `functions.spec_*`, `functions.document_too_large`. */
export function readSpec(tree: SourceTree): FunctionSpec {
  return parseSpec(decode(tree, SPEC_FILE));
}

export function readDocuments(tree: SourceTree): Documents {
  return { readme: document(tree, 'README.md'), changelogText: document(tree, 'CHANGELOG.md') };
}

function document(tree: SourceTree, path: string): string {
  if ((tree.get(path)?.bytes.byteLength ?? 0) > DOCUMENT_BYTES_MAX) {
    throw new PlatformError({
      kind: 'too_large',
      code: 'functions.document_too_large',
      message: `${path} is larger than ${DOCUMENT_BYTES_MAX / 1024} KiB. Shorten it and deploy again.`,
    });
  }
  return decode(tree, path);
}

function decode(tree: SourceTree, path: string): string {
  return new TextDecoder().decode(tree.get(path)?.bytes);
}
