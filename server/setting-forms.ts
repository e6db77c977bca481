import * as z from 'zod';

/** Forms that settings share: all come as text from the environment and from flags, as JSON from the file. */

export const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
export const list = z.preprocess(
  (v) =>
    typeof v === 'string'
      ? v
          .split(',')
          .map((s) => s.trim())
          .filter(Boolean)
      : v,
  z.array(z.string()),
);
export const flag = z.preprocess(
  (v) => (v === 'true' || v === '1' ? true : v === 'false' || v === '0' ? false : v),
  z.boolean(),
);
