import { type Bytes, EMPTY, concat, toUint } from './bytes.ts';

/** Reads a stream by counts of bytes. What ends too early throws what `cutOff` makes; errors of the stream pass. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #cutOff: () => Error;
  #parts: Uint8Array[] = [];
  #length = 0;
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>, cutOff: () => Error) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.#cutOff = cutOff;
  }

  async isAtEnd(): Promise<boolean> {
    return !(await this.#has(1));
  }

  /** Exactly `count` bytes. Bound `count`: they are held in memory. */
  async take(count: number): Promise<Bytes> {
    if (!(await this.#has(count))) throw this.#cutOff();
    return this.#cut(count);
  }

  /** 1 to `max` bytes, as they come. */
  async takeSome(max: number): Promise<Bytes> {
    if (await this.isAtEnd()) throw this.#cutOff();
    return this.#cut(Math.min(max, this.#parts[0]?.length ?? 0));
  }

  /** All that is left; throws when that is more than `max` bytes. */
  async takeRest(max: number): Promise<Bytes> {
    if (await this.#has(max + 1)) throw this.#cutOff();
    return this.#cut(this.#length);
  }

  /** In any of the forms that RFC 9000 allows, up to the largest whole number of this language. */
  async takeVarint(): Promise<number> {
    const [first = 0] = await this.take(1);
    const rest = await this.take(2 ** (first >> 6) - 1);
    const value = (first & 63) * 256 ** rest.length + toUint(rest);
    if (!Number.isSafeInteger(value)) throw this.#cutOff();
    return value;
  }

  /** Tells the source that nothing more is wanted. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
    this.#ended = true;
  }

  async #has(count: number): Promise<boolean> {
    while (this.#length < count && !this.#ended) {
      const { done, value } = await this.#source.next();
      if (done === true) this.#ended = true;
      else if (value.length > 0) {
        this.#parts.push(value);
        this.#length += value.length;
      }
    }
    return this.#length >= count;
  }

  #cut(count: number): Bytes {
    const [first = EMPTY] = this.#parts;
    const all = first.length >= count ? first : concat(...this.#parts);
    const left = all.subarray(count);
    this.#parts = [...(left.length > 0 ? [left] : []), ...(all === first ? this.#parts.slice(1) : [])];
    this.#length -= count;
    return all.slice(0, count) as Bytes;
  }
}
