import { engineErrors } from './engine-errors.ts';
import type {
  Filter,
  FilterOperators,
  Metadata,
  PendingDocument,
  StagedPassage,
  VectorRecord,
  VectorSearch,
  VectorSettings,
} from './vector-engine.ts';

/** The bounds of one request; each is generous, and none grows with the database. */
const LIMITS = {
  dimensions: 4096,
  modelCharacters: 128,
  idCharacters: 128,
  /** Room for `#` and a number behind it: the id of a passage is an id, too. */
  documentIdCharacters: 116,
  metadataKeys: 32,
  metadataCharacters: 512,
  textCharacters: 65_536,
  queryCharacters: 8192,
  records: 10_000,
  topK: 1000,
  filterFields: 32,
  filterValues: 1000,
  headings: 32,
  page: 1000,
};

export function checkSettings({ kind, dimensions, metric, model }: VectorSettings): void {
  const fits =
    ['sealed', 'strict'].includes(kind) &&
    ['cosine', 'dot', 'euclidean'].includes(metric) &&
    Number.isInteger(dimensions) &&
    dimensions >= 1 &&
    dimensions <= LIMITS.dimensions &&
    (model === null || isText(model, LIMITS.modelCharacters));
  if (!fits) throw engineErrors.badSettings();
}

/** Larger numbers would overflow when they are squared and summed. */
const COMPONENT_MAX = 1e15;

export function checkVector(vector: Float32Array, { dimensions, metric }: VectorSettings): void {
  if (vector.length !== dimensions) throw engineErrors.badDimensions(dimensions);
  let isZero = true;
  for (const component of vector) {
    // NaN compares with nothing.
    if (!(Math.abs(component) <= COMPONENT_MAX)) throw engineErrors.badVector();
    if (component !== 0) isZero = false;
  }
  if (isZero && metric === 'cosine') throw engineErrors.badVector();
}

export function checkRecords(records: readonly VectorRecord[], settings: VectorSettings): void {
  if (records.length > LIMITS.records) throw engineErrors.tooLarge();
  for (const { id, vector, metadata, text } of records) {
    if (!isText(id, LIMITS.idCharacters)) {
      throw engineErrors.badRecord(`ids have 1 to ${LIMITS.idCharacters} characters`);
    }
    checkVector(vector, settings);
    checkMetadata(metadata ?? {}, engineErrors.badRecord);
    if (text === undefined) continue;
    if (settings.kind === 'strict') throw engineErrors.keepsNoText();
    if (text.length > LIMITS.textCharacters) {
      throw engineErrors.badRecord(`texts have at most ${LIMITS.textCharacters} characters`);
    }
  }
}

export function checkIds(ids: readonly string[]): void {
  if (ids.length > LIMITS.records) throw engineErrors.tooLarge();
}

export function checkDocument({ uploadId, documentId, metadata }: PendingDocument): void {
  if (!isText(uploadId, LIMITS.idCharacters) || !isText(documentId, LIMITS.documentIdCharacters)) {
    throw engineErrors.badDocument(`ids have 1 to ${LIMITS.documentIdCharacters} characters`);
  }
  checkMetadata(metadata, engineErrors.badDocument);
}

export function checkPassages(passages: readonly StagedPassage[], settings: VectorSettings): void {
  if (passages.length > LIMITS.records) throw engineErrors.tooLarge();
  for (const { start, end, page, headings, text, vector } of passages) {
    const fits =
      Number.isSafeInteger(start) &&
      start >= 0 &&
      Number.isSafeInteger(end) &&
      end >= start &&
      (page === null || (Number.isSafeInteger(page) && page > 0)) &&
      headings.length <= LIMITS.headings &&
      headings.every((heading) => heading.length <= LIMITS.textCharacters) &&
      text.length <= LIMITS.textCharacters;
    if (!fits) throw engineErrors.badDocument('a passage has no sensible place, or is too long');
    checkVector(vector, settings);
  }
}

function checkMetadata(metadata: Metadata, error: (what: string) => Error): void {
  const fields = Object.entries(metadata);
  if (fields.length > LIMITS.metadataKeys) throw error(`metadata has at most ${LIMITS.metadataKeys} fields`);
  for (const [name, value] of fields) {
    if (!isText(name, LIMITS.idCharacters) || name.startsWith('$')) {
      throw error(`names of fields have 1 to ${LIMITS.idCharacters} characters and do not begin with $`);
    }
    if (!isScalar(value)) {
      throw error(
        `values are strings up to ${LIMITS.metadataCharacters} characters, numbers, booleans or null`,
      );
    }
  }
}

export function checkSearch(search: VectorSearch, settings: VectorSettings): void {
  const { vector, text, topK, filter, minScore } = search;
  if (vector === undefined && text === undefined)
    throw engineErrors.badSearch('give a vector, a text or both');
  if (vector !== undefined) checkVector(vector, settings);
  if (text !== undefined && settings.kind === 'strict') throw engineErrors.noKeywords();
  if (text !== undefined && text.length > LIMITS.queryCharacters) {
    throw engineErrors.badSearch(`the text has at most ${LIMITS.queryCharacters} characters`);
  }
  if (!isWithin(topK, LIMITS.topK)) throw engineErrors.badSearch(`topK is from 1 to ${LIMITS.topK}`);
  if (minScore !== undefined && !Number.isFinite(minScore)) {
    throw engineErrors.badSearch('the least score is a number');
  }
  if (filter !== undefined) checkFilter(filter);
}

const OPERATORS: Readonly<Record<keyof FilterOperators, (value: unknown) => boolean>> = {
  eq: isScalar,
  ne: isScalar,
  gt: isOrdered,
  gte: isOrdered,
  lt: isOrdered,
  lte: isOrdered,
  in: (value) => Array.isArray(value) && value.length <= LIMITS.filterValues && value.every(isScalar),
  exists: (value) => typeof value === 'boolean',
};

export function checkFilter(filter: Filter): void {
  const fields = Object.entries(filter);
  if (fields.length > LIMITS.filterFields) {
    throw engineErrors.badFilter(`it has at most ${LIMITS.filterFields} fields`);
  }
  for (const [name, wanted] of fields) {
    if (!isText(name, LIMITS.idCharacters))
      throw engineErrors.badFilter('a field has no name, or a long one');
    if (wanted === null || typeof wanted !== 'object') {
      if (!isScalar(wanted)) throw engineErrors.badFilter('a value is too long or no value');
      continue;
    }
    const operators = Object.entries(wanted);
    const fits =
      operators.length > 0 &&
      operators.every(
        ([operator, value]) =>
          Object.hasOwn(OPERATORS, operator) && OPERATORS[operator as keyof FilterOperators](value),
      );
    if (!fits) throw engineErrors.badFilter('an operator is unknown, or its value does not fit it');
  }
}

export function checkPage({ limit }: { readonly limit: number }): void {
  if (!isWithin(limit, LIMITS.page)) throw engineErrors.badSearch(`a page has 1 to ${LIMITS.page} entries`);
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

/** Also free of halves of characters and of NUL: those do not come back from the file as they went in. */
function isText(value: string, charactersMax: number): boolean {
  return value.length > 0 && value.length <= charactersMax && isStorable(value);
}

function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}

function isScalar(value: unknown): value is Metadata[string] {
  if (typeof value === 'string') return value.length <= LIMITS.metadataCharacters && isStorable(value);
  return value === null || typeof value === 'boolean' || Number.isFinite(value);
}

function isOrdered(value: unknown): boolean {
  return (typeof value === 'string' || typeof value === 'number') && isScalar(value);
}
