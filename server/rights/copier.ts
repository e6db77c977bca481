import type * as z from 'zod';
import type { Holder } from '../accounts/principal.ts';
import type { Area } from './keepers.ts';

/** One area's part in a copy of what is kept of an account holder, and in taking one over. */
export interface Copier {
  readonly area: Area;
  /** All that `exportTo` may write, in its order. */
  readonly files: readonly PackFile[];
  /** Writes what was given and observed; secrets stay out of it. */
  exportTo(holder: Holder, writer: PackWriter): Promise<void>;
  /**
   * Takes over what `exportTo` of any installation wrote: all or nothing for each object. What is not taken is told, and
   * hinders nothing else. Absent where there is nothing to take over.
   */
  importFrom?(holder: Holder, reader: PackReader, outcome: ImportOutcome): Promise<void>;
}

/** A file of a copy: rows of one form, as JSON Lines. */
export interface PackFile<Row = unknown> {
  /** Without folder and ending: lower-case words with hyphens. */
  readonly name: string;
  /** What it holds, for people. */
  readonly title: string;
  /** Derived rows follow from others; they are there to be read, and never taken over. */
  readonly nature: 'given' | 'observed' | 'derived';
  readonly row: z.ZodType<Row>;
}

/** Where an area puts its part of a copy. */
export interface PackWriter {
  /** Resolves when all rows have gone out; at most once for each file. */
  rows<Row extends object>(file: PackFile<Row>, rows: AsyncIterable<Row> | Iterable<Row>): Promise<void>;
  /**
   * Names in the copy an object of the file that cannot be read, with the reason; the copy goes on without it. What `rows`
   * throw of themselves is the end of their file, and named likewise.
   */
  missing(file: PackFile, name: string, thrown: unknown): void;
}

/** Where an area finds its part of a copy: rows that have their form, of files that have their hash. */
export interface PackReader {
  /** None for a file that is not there. */
  rows<Row extends object>(file: PackFile<Row>): AsyncIterable<Row>;
  /** Whether the copy says that this object of the file is not there, or not to its end. It is told as left behind already. */
  lacks(file: PackFile, name: string): boolean;
}

/** What became of the objects of a copy. */
export interface ImportOutcome {
  taken(kind: string): void;
  /** The code of a `PlatformError`; whatever else was thrown is the platform's fault, and thrown on. */
  left(kind: string, name: string, thrown: unknown): void;
}
