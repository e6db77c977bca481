/**
 * An ONNX model that says of each text how large the run was in which it was computed: its vectors are
 * (texts, tokens of the longest), scaled to length 1.
 */
export function runSizeModel(): Uint8Array {
  const two = field(1, 1) + field(2, INT64) + field(8, 'two') + field(9, '\x02'.padEnd(8, '\0'));
  const graph = [
    node('Shape', ['input_ids'], 'shape'),
    node('Cast', ['shape'], 'sizes', field(1, 'to') + field(3, FLOAT) + field(20, 2)),
    node('Concat', ['shape', 'two'], 'all', field(1, 'axis') + field(3, 0) + field(20, 2)),
    node('Expand', ['sizes', 'all'], 'hidden'),
    field(2, 'run-size'),
    field(5, two),
    field(11, value('input_ids', INT64, ['batch', 'length'])),
    field(12, value('hidden', FLOAT, ['batch', 'length', 2])),
  ];
  const opset = field(1, '') + field(2, 13);
  return Buffer.from(field(1, 8) + field(7, graph.join('')) + field(8, opset), 'latin1');
}

const FLOAT = 1;
const INT64 = 7;

function node(operator: string, inputs: readonly string[], output: string, attribute?: string): string {
  const names = inputs.map((name) => field(1, name)).join('') + field(2, output);
  return field(1, names + field(4, operator) + (attribute === undefined ? '' : field(5, attribute)));
}

function value(name: string, elementType: number, sizes: readonly (string | number)[]): string {
  const dimensions = sizes.map((size) => field(1, field(typeof size === 'string' ? 2 : 1, size)));
  const tensor = field(1, elementType) + field(2, dimensions.join(''));
  return field(1, name) + field(2, field(1, tensor));
}

/** A field of a protocol buffer: a number, or the bytes of a string. */
function field(number: number, content: number | string): string {
  if (typeof content === 'number') return varint(number << 3) + varint(content);
  return varint((number << 3) | 2) + varint(content.length) + content;
}

function varint(number: number): string {
  return number < 128
    ? String.fromCharCode(number)
    : String.fromCharCode((number % 128) + 128) + varint(Math.floor(number / 128));
}
