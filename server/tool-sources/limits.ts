/** Every bound of what an outside server may take and give. */
export interface SourceLimits {
  readonly sourcesPerAccountMax: number;
  /** Tools that a server may list; one that lists more is not used. */
  readonly toolsMax: number;
  readonly pagesMax: number;
  /** Of one HTTP answer, decompressed: a list of tools, or what a call streams until its result. */
  readonly answerBytesMax: number;
  /** From the first connection to the whole list of tools. */
  readonly openMs: number;
}

export const sourceLimits: SourceLimits = {
  sourcesPerAccountMax: 16,
  toolsMax: 256,
  pagesMax: 8,
  answerBytesMax: 2 * 1024 * 1024,
  openMs: 15_000,
};
