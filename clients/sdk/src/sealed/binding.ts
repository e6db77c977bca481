import { type Bytes, EMPTY, concat, uint, utf8 } from './bytes.ts';
import { MalformedError } from './errors.ts';

/** Where questions, and requests to vector databases, are sealed to: no functions, but in the form of one. */
export const QUESTIONS_ID = 'questions-00000000000000000000-1-m';
export const VECTORS_ID = 'vectors-00000000000000000000-1-l';

/** What a request is sealed for. It opens nowhere else. Both ends get it by `bindingOf`. */
export interface Binding {
  /** A deployment id without version and size, `greeter-d4hq7r3c1ab2cd3ef4gh`: all of it that clients know. */
  readonly functionId: string;
  readonly version: number;
}

/** What a deployment id, `<shortname>-<xid>-<version>-<size>`, binds to. Throws MalformedError for anything else. */
export function bindingOf(deploymentId: string): Binding {
  const [, functionId, version] =
    /^([a-z0-9_-]+-[0-9a-v]{20})-(\d{1,9})-[a-z0-9]+$/i.exec(deploymentId) ?? [];
  if (functionId === undefined) throw new MalformedError('that is no deployment id');
  return { functionId, version: Number(version) };
}

/**
 * Follows label and header in the `info` of HPKE: length (16 bits) and UTF-8 of the function id, version (32 bits).
 * RFC 9458 ends there, which is what no binding gives.
 */
export function encodeBinding(binding: Binding | undefined): Bytes {
  if (binding === undefined) return EMPTY;
  const functionId = utf8(binding.functionId);
  return concat(uint(functionId.length, 2), functionId, uint(binding.version, 4));
}
