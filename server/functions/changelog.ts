import { CHANGELOG_LIMITS } from './limits.ts';

/** The three sections of one dated release of a CHANGELOG.md, as Markdown; absent sections are empty. */
export interface Changelog {
  /** As written, `MM/DD/YY`. */
  readonly date: string;
  readonly added: string;
  readonly updated: string;
  readonly removed: string;
}

type Section = 'added' | 'updated' | 'removed';

interface Block {
  readonly date: string;
  /** Epoch milliseconds of the day's start; NaN for a date that does not exist. */
  readonly day: number;
  readonly lines: Record<Section, string[]>;
}

const DATE = /^(?:#{1,6} +)?date: *(\d{1,2})\/(\d{1,2})\/(\d{4}|\d{2}) *$/i;
/** With `#` the colon may be missing; without, only a line that is the heading alone counts. */
const SECTION = /^(?:#{1,6} +(added|updated|removed):?|(added|updated|removed):) *$/i;
const FENCE = /^ {0,3}(?:```|~~~)/;

/**
 * The release that a version made at `releasedAt` (epoch milliseconds) belongs to: the block with the newest date
 * up to that day, else the last block of the file; null when the text has no dated block.
 */
export function parseChangelog(text: string, releasedAt: number): Changelog | null {
  const blocks = readBlocks(withoutComments(text.slice(0, CHANGELOG_LIMITS.textLengthMax)));
  let chosen: Block | undefined;
  for (const block of blocks) {
    if (block.day <= releasedAt && (chosen === undefined || block.day >= chosen.day)) chosen = block;
  }
  chosen ??= blocks.at(-1);
  if (chosen === undefined) return null;
  const { added, updated, removed } = chosen.lines;
  return {
    date: chosen.date,
    added: markdown(added),
    updated: markdown(updated),
    removed: markdown(removed),
  };
}

function readBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let section: Section | undefined;
  let fenced = false;
  for (const line of text.split(/\r?\n/)) {
    if (FENCE.test(line)) fenced = !fenced;
    const date = fenced ? null : DATE.exec(line);
    const heading = fenced ? null : SECTION.exec(line);
    if (date !== null) {
      blocks.push(newBlock(date));
      section = undefined;
    } else if (heading !== null) {
      section = (heading[1] ?? heading[2] ?? '').toLowerCase() as Section;
    } else if (section !== undefined) {
      blocks.at(-1)?.lines[section].push(line);
    }
  }
  return blocks;
}

function newBlock(match: RegExpExecArray): Block {
  const [, month = '', day = '', year = ''] = match;
  const fullYear = year.length === 2 ? 2000 + Number(year) : Number(year);
  const start = new Date(Date.UTC(fullYear, Number(month) - 1, Number(day)));
  const exists = start.getUTCMonth() === Number(month) - 1 && start.getUTCDate() === Number(day);
  return {
    date: `${month}/${day}/${year}`,
    day: exists ? start.getTime() : Number.NaN,
    lines: { added: [], updated: [], removed: [] },
  };
}

function markdown(lines: readonly string[]): string {
  return lines.join('\n').trim().slice(0, CHANGELOG_LIMITS.sectionLengthMax);
}

function withoutComments(text: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let start = text.indexOf('<!--'); start !== -1; start = text.indexOf('<!--', from)) {
    kept.push(text.slice(from, start));
    const end = text.indexOf('-->', start + 4);
    if (end === -1) return kept.join('');
    from = end + 3;
  }
  kept.push(text.slice(from));
  return kept.join('');
}
