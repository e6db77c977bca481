/**
 * The words of a database's texts in memory, record by record, as keyed hashes. A search reads them all, which for a
 * hundred thousand passages takes some milliseconds, and there is nothing to keep in order when records come and go.
 */
export interface WordIndex {
  readonly bytes: number;
  /** `counts` as `packWords` makes them. */
  add(key: number, counts: Uint8Array): void;
  remove(key: number): void;
  /** A word of the query is any of the forms under which it may stand in texts. */
  find(words: readonly (readonly number[])[]): Promise<FoundWords>;
}

export interface FoundWords {
  /** BM25, best first. `among`: of these records only, scored by how rare the words are among all. */
  best(limit: number, among?: readonly number[]): WordScore[];
}

export interface WordScore {
  readonly key: number;
  readonly score: number;
}

const COUNT_BYTES = 5;
const TIMES_MAX = 255;

/** Undefined where there are none. */
export function packWords(
  counts: ReadonlyMap<string, number>,
  hash: (word: string) => number,
): Uint8Array | null {
  if (counts.size === 0) return null;
  const packed = Buffer.alloc(counts.size * COUNT_BYTES);
  let at = 0;
  for (const [word, times] of counts) {
    at = packed.writeUInt32LE(hash(word), at);
    at = packed.writeUInt8(Math.min(times, TIMES_MAX), at);
  }
  return packed;
}

/** Words of many records one after the other; more than one record can have, so that each fits into one. */
interface Block {
  words: Uint32Array;
  times: Uint8Array;
  used: number;
  /** Of `used`, those of records that are there. */
  live: number;
  records: Entry[];
}

interface Entry {
  readonly key: number;
  readonly block: Block;
  from: number;
  to: number;
  /** Words of the text, repeated ones included. */
  readonly length: number;
  isGone: boolean;
}

const BLOCK_WORDS = 2 ** 18;
const BLOCK_WORDS_FIRST = 256;

export function createWordIndex(pause: () => Promise<void>): WordIndex {
  const blocks: Block[] = [];
  const entries = new Map<number, Entry>();
  let length = 0;

  function blockFor(count: number): Block {
    const last = blocks.at(-1);
    if (last !== undefined && last.used + count <= BLOCK_WORDS) return grown(last, count);
    const block = { words: new Uint32Array(0), times: new Uint8Array(0), used: 0, live: 0, records: [] };
    blocks.push(block);
    return grown(block, count);
  }

  return {
    get bytes() {
      return blocks.reduce((sum, { words, times }) => sum + words.byteLength + times.byteLength, 0);
    },
    add(key, counts) {
      const packed = Buffer.from(counts.buffer, counts.byteOffset, counts.byteLength);
      const count = packed.length / COUNT_BYTES;
      const block = blockFor(count);
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const times = packed.readUInt8(index * COUNT_BYTES + 4);
        block.words[block.used + index] = packed.readUInt32LE(index * COUNT_BYTES);
        block.times[block.used + index] = times;
        sum += times;
      }
      const entry = { key, block, from: block.used, to: block.used + count, length: sum, isGone: false };
      block.used += count;
      block.live += count;
      block.records.push(entry);
      entries.set(key, entry);
      length += sum;
    },
    remove(key) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      const { block } = entry;
      entries.delete(key);
      entry.isGone = true;
      length -= entry.length;
      block.live -= entry.to - entry.from;
      block.words.fill(0, entry.from, entry.to);
      if (block.live === 0) blocks.splice(blocks.indexOf(block), 1);
      else if (block.live * 2 < block.used) close(block);
    },
    async find(words) {
      const matches = createMatches(words);
      for (const block of blocks.slice()) {
        matches.scan(block);
        await pause();
      }
      return {
        best: (limit, among) =>
          matches
            .best(limit, { records: entries.size, length }, among && new Set(among))
            .toSorted((a, b) => b.score - a.score || a.key - b.key)
            .slice(0, limit),
      };
    },
  };
}

/** Makes room for `count` more. */
function grown(block: Block, count: number): Block {
  if (block.used + count <= block.words.length) return block;
  const size = Math.min(BLOCK_WORDS, Math.max(BLOCK_WORDS_FIRST, block.words.length * 2, block.used + count));
  const words = new Uint32Array(size);
  const times = new Uint8Array(size);
  words.set(block.words);
  times.set(block.times);
  return Object.assign(block, { words, times });
}

/** Closes the gaps that records have left. */
function close(block: Block): void {
  let used = 0;
  block.records = block.records.filter(({ isGone }) => !isGone);
  for (const entry of block.records) {
    block.words.copyWithin(used, entry.from, entry.to);
    block.times.copyWithin(used, entry.from, entry.to);
    entry.to = used + entry.to - entry.from;
    entry.from = used;
    used = entry.to;
  }
  block.words.fill(0, used);
  block.used = used;
}

/** How little a repeated word counts more, and how much a long text counts less: the customary values. */
const K1 = 1.2;
const B = 0.75;
/** Tells nearly all other words from those of the query by their last bits. */
const MASK = 0xff_ff;

interface Matches {
  scan(block: Block): void;
  /** The best `limit`, in any order. */
  best(limit: number, all: Totals, among?: ReadonlySet<number>): WordScore[];
}

interface Totals {
  readonly records: number;
  /** Of all texts together. */
  readonly length: number;
}

function createMatches(words: readonly (readonly number[])[]): Matches {
  const isWanted = new Uint8Array(MASK + 1);
  const termOf = new Map<number, number>();
  for (const [term, forms] of words.entries()) {
    for (const form of forms) {
      isWanted[form & MASK] = 1;
      if (!termOf.has(form)) termOf.set(form, term);
    }
  }
  const recordsWith = words.map(() => 0);
  const matched: Entry[] = [];
  /** How often each term stands in each of them, in one row: a frequent word matches nearly all. */
  const times: number[] = [];

  function scanEntry(entry: Entry, block: Block): void {
    const row = times.length;
    for (let at = entry.from; at < entry.to; at++) {
      const word = block.words[at] ?? 0;
      if (isWanted[word & MASK] === 0) continue;
      const term = termOf.get(word);
      if (term === undefined) continue;
      if (times.length === row) for (const _ of words) times.push(0);
      if (times[row + term] === 0) recordsWith[term] = (recordsWith[term] ?? 0) + 1;
      times[row + term] = (times[row + term] ?? 0) + (block.times[at] ?? 0);
    }
    if (times.length > row) matched.push(entry);
  }

  function scoreOf(row: number, norm: number, weights: readonly number[]): number {
    let score = 0;
    for (let term = 0; term < weights.length; term++) {
      const some = times[row * weights.length + term] ?? 0;
      if (some > 0) score += ((weights[term] ?? 0) * some * (K1 + 1)) / (some + norm);
    }
    return score;
  }

  return {
    scan(block) {
      for (const entry of block.records) if (!entry.isGone) scanEntry(entry, block);
    },
    best(limit, { records, length }, among) {
      const weights = recordsWith.map((some) => Math.log(1 + (records - some + 0.5) / (some + 0.5)));
      const scores = new Float64Array(matched.length);
      for (const [row, entry] of matched.entries()) {
        if (among?.has(entry.key) === false) continue;
        scores[row] = scoreOf(row, K1 * (1 - B + (B * entry.length * records) / length), weights);
      }
      const least = scores.toSorted().at(-limit) ?? 0;
      const found: WordScore[] = [];
      for (const [row, score] of scores.entries()) {
        const entry = matched[row];
        if (entry !== undefined && score > 0 && score >= least) found.push({ key: entry.key, score });
      }
      return found;
    },
  };
}
