const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds of everything that whoever sends a pack controls. */
export interface PackLimits {
  readonly packBytesMax: number;
  readonly entriesMax: number;
  readonly unpackedBytesMax: number;
  /** Unpacked to packed, judged only beyond `ratioFreeBytes`: rows of one form compress well honestly. */
  readonly ratioMax: number;
  readonly ratioFreeBytes: number;
  /** Of the manifests and whatever else is read as a whole. */
  readonly manifestBytesMax: number;
  /** Of one row. */
  readonly lineBytesMax: number;
}

export const packLimits: PackLimits = {
  packBytesMax: 1024 * MIB,
  entriesMax: 128,
  unpackedBytesMax: 4096 * MIB,
  ratioMax: 100,
  ratioFreeBytes: 64 * MIB,
  manifestBytesMax: 256 * KIB,
  lineBytesMax: 32 * MIB,
};
