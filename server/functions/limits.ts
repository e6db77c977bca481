/** Bounds of everything that an uploader controls. Whatever exceeds one is refused with an error that names it. */
const KIB = 1024;
const MIB = 1024 * KIB;

export const ARCHIVE_LIMITS = {
  uploadBytesMax: 50 * MIB,
  entriesMax: 10_000,
  unpackedBytesMax: 200 * MIB,
  fileBytesMax: 100 * MIB,
  pathBytesMax: 240,
  depthMax: 32,
  /** Unpacked to packed, judged only beyond `ratioFreeBytes`: small repetitive files compress well honestly. */
  ratioMax: 100,
  ratioFreeBytes: 16 * MIB,
} as const;

export const IGNORE_LIMITS = {
  fileBytesMax: 64 * KIB,
  patternsMax: 100,
  patternLengthMax: 200,
  /** The patterns become regular expressions; more wildcards than these make matching explode. */
  wildcardsPerSegmentMax: 2,
  wildcardsPerPatternMax: 3,
  deadlineMs: 2_000,
} as const;

export const SPEC_LIMITS = {
  fileBytesMax: 256 * KIB,
  depthMax: 64,
  nameLengthMax: 100,
  descriptionLengthMax: 4_000,
  tagsMax: 20,
  tagLengthMax: 40,
  queryParamsMax: 64,
  exampleLengthMax: 64 * KIB,
  extensionsMax: 32,
  egressHostsMax: 32,
  corsOriginsMax: 32,
  timeoutSecondsDefault: 60,
  timeoutSecondsMax: 900,
} as const;

export const SCHEMA_LIMITS = {
  encodedBytesMax: 64 * KIB,
  depthMax: 24,
  keywordsMax: 4_000,
  enumMax: 500,
  patternLengthMax: 256,
} as const;

export const CHANGELOG_LIMITS = {
  textLengthMax: 256 * KIB,
  sectionLengthMax: 16 * KIB,
} as const;
