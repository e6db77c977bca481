export interface DocumentLimits {
  /** Size of the file. */
  readonly bytesMax: number;
  readonly pagesMax: number;
  /** UTF-16 code units of the extracted text. */
  readonly charactersMax: number;
  /** What a DOCX may unpack to. */
  readonly expandedBytesMax: number;
  /** Of the process that reads, the document and its text included. */
  readonly memoryMib: number;
  /** Until the last byte of the document has come in. */
  readonly uploadMs: number;
  /** From then until the first passage, and again between two of them; time in which nobody asks for more is free. */
  readonly readMs: number;
  /** On top of it for each page. */
  readonly pageMs: number;
  readonly processesMax: number;
  /** Documents that wait for a process; one more is refused with `documents.busy`. */
  readonly waitingMax: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  bytesMax: 32 * 2 ** 20,
  pagesMax: 2000,
  charactersMax: 20 * 2 ** 20,
  expandedBytesMax: 256 * 2 ** 20,
  memoryMib: 1024,
  uploadMs: 600_000,
  readMs: 60_000,
  pageMs: 100,
  processesMax: 2,
  waitingMax: 64,
};
