import * as z from 'zod';

/** RFC 3339 UTC in whole seconds: what all public clients decode. */
export const Time = z.iso.datetime({ precision: 0 });
export const Count = z.int().min(0);
/** A function's version as it stands in a query string. */
export const VersionQuery = z.coerce.number<string>().int().min(1).max(2_147_483_647);
