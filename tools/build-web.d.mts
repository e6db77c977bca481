/** Builds what browsers get, unless these very sources were built before. Throws when a build fails. */
export function ensureWeb(): void;
