export interface Bounds {
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Exclusive. */
  readonly above: number | undefined;
  readonly below: number | undefined;
  readonly multipleOf: number | undefined;
}

/** Beyond this a JSON number is not exact any more. */
const LARGEST = 999_999_999_999_999;
/** So many multiples, or numbers of a narrow range, are written out. */
const LISTED_MAX = 200;

/** GBNF for integers within the bounds; an empty range gives what the schema's own validation then refuses. */
export function integerRange(bounds: Bounds): string {
  const step = bounds.multipleOf;
  if (step !== undefined && step !== 1) return multiples(bounds, step, 0);
  const low = Math.max(
    Math.ceil(bounds.min ?? -LARGEST),
    bounds.above === undefined ? -LARGEST : Math.floor(bounds.above) + 1,
  );
  const high = Math.min(
    Math.floor(bounds.max ?? LARGEST),
    bounds.below === undefined ? LARGEST : Math.ceil(bounds.below) - 1,
  );
  return between(low, high);
}

/** GBNF for numbers within the bounds, with at most four decimals. */
export function numberRange(bounds: Bounds): string {
  if (bounds.multipleOf !== undefined)
    return multiples(bounds, bounds.multipleOf, decimalsOf(bounds.multipleOf));
  const low = bounds.min ?? bounds.above;
  const high = bounds.max ?? bounds.below;
  if (low === undefined && high === undefined) return 'number';
  const whole = { low: Math.ceil(low ?? -LARGEST), high: Math.floor(high ?? LARGEST) };
  const step = 1 / LISTED_MAX;
  const narrow = (high ?? LARGEST) - (low ?? -LARGEST) <= 2;
  if (narrow) return multiples(bounds, 4 * step, 2);
  const parts = [integerRange(bounds)];
  if (whole.high >= 1) parts.push(`${between(Math.max(whole.low, 0), whole.high - 1)} "." [0-9]{0,3} [1-9]`);
  if (whole.low <= -1)
    parts.push(`"-" ${between(Math.max(-whole.high, 0), -whole.low - 1)} "." [0-9]{0,3} [1-9]`);
  return `(${parts.join(' | ')})`;
}

function decimalsOf(step: number): number {
  return (String(step).split('.')[1] ?? '').length;
}

/** Multiples of `step` written out: those nearest to zero within the bounds. */
function multiples(bounds: Bounds, step: number, decimals: number): string {
  const low = Math.max(bounds.min ?? -Infinity, bounds.above ?? -Infinity);
  const high = Math.min(bounds.max ?? Infinity, bounds.below ?? Infinity);
  const nearest = Math.min(Math.max(0, low), high);
  const from =
    low === -Infinity && nearest < 0
      ? nearest - LISTED_MAX * step
      : Math.max(low, nearest - (LISTED_MAX * step) / 2);
  const values: string[] = [];
  for (let k = Math.ceil(from / step); values.length < LISTED_MAX && k * step <= high; k++) {
    const value = Number((k * step).toFixed(decimals));
    const fits = value >= low && value <= high && value !== bounds.above && value !== bounds.below;
    if (fits) values.push(`"${value}"`);
  }
  return values.length === 0 ? 'number' : `(${values.join(' | ')})`;
}

function between(low: number, high: number): string {
  if (low > high) return 'integer';
  if (low < 0 && high < 0) return `"-" ${digits(-high, -low)}`;
  if (low < 0) return `("-" ${digits(1, -low)} | ${digits(0, high)})`;
  return digits(low, high);
}

/** Decimal numerals of `low` to `high` (both ≥ 0) without leading zeros, one alternative per length and prefix. */
function digits(low: number, high: number): string {
  const choices: string[] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const smallest = length === 1 ? 0 : 10 ** (length - 1);
    const from = Math.max(low, smallest);
    const to = Math.min(high, 10 ** length - 1);
    choices.push(...sameLength(String(from), String(to)));
  }
  return `(${choices.join(' | ')})`;
}

/** Numerals from `from` to `to`, which have the same number of digits. */
function sameLength(from: string, to: string): string[] {
  const rest = from.length - 1;
  const [a, b] = [Number(from[0]), Number(to[0])];
  if (rest === 0) return [range(a, b)];
  const lowest = '0'.repeat(rest);
  const highest = '9'.repeat(rest);
  if (a === b) return sameLength(from.slice(1), to.slice(1)).map((tail) => `"${a}" ${tail}`);
  const startsWhole = from.slice(1) === lowest;
  const endsWhole = to.slice(1) === highest;
  const first = startsWhole ? a : a + 1;
  const last = endsWhole ? b : b - 1;
  return [
    ...(startsWhole ? [] : sameLength(from.slice(1), highest).map((tail) => `"${a}" ${tail}`)),
    ...(first <= last ? [`${range(first, last)} [0-9]{${rest}}`] : []),
    ...(endsWhole ? [] : sameLength(lowest, to.slice(1)).map((tail) => `"${b}" ${tail}`)),
  ];
}

const range = (a: number, b: number): string => (a === b ? `"${a}"` : `[${a}-${b}]`);
