/** A JSON Schema (draft 2020-12) as plain data. */
export interface SampleSchema {
  $schema?: string;
  title?: string;
  type: string;
  properties?: Record<string, SampleSchema>;
  required?: string[];
  items?: SampleSchema | Record<string, never>;
}

const DEPTH_MAX = 64;

/** The schema that a JSON sample suggests: all keys required, lists like their first item, whole numbers integers. */
export function schemaFromSample(sample: unknown): SampleSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Generated schema from jellyfaas',
    ...schemaOf(sample, 0),
  };
}

function schemaOf(sample: unknown, depth: number): SampleSchema {
  if (depth > DEPTH_MAX) throw new RangeError(`The sample is nested more than ${DEPTH_MAX} levels deep.`);
  if (sample === null) return { type: 'null' };
  if (Array.isArray(sample)) {
    return { type: 'array', items: sample.length === 0 ? {} : schemaOf(sample[0], depth + 1) };
  }
  if (typeof sample === 'object') {
    const entries = Object.entries(sample);
    const properties = Object.fromEntries(entries.map(([key, value]) => [key, schemaOf(value, depth + 1)]));
    return {
      type: 'object',
      properties,
      ...(entries.length > 0 && { required: entries.map(([key]) => key) }),
    };
  }
  return { type: typeof sample === 'number' ? numberType(sample) : typeof sample };
}

function numberType(value: number): string {
  return Number.isInteger(value) ? 'integer' : 'number';
}
