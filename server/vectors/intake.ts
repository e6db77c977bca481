import { createHash } from 'node:crypto';
import { vectorErrors } from './errors.ts';

/** Memory that waiting documents share. */
export interface WaitingRoom {
  heldBytes: number;
  readonly bytesMax: number;
}

/**
 * A document on its way from the client to its reader. It is taken in as it comes, also while the reader is busy with
 * others: in memory, and once the room is full, at the pace of the reader. Whoever stops reading drops the rest.
 */
export class Intake implements AsyncIterable<Uint8Array> {
  /** Resolves when the client has sent everything; rejects when that breaks off or is too much. */
  readonly received: Promise<void>;
  /** Aborts when `received` rejects, with its reason. */
  readonly broken: AbortSignal;
  readonly #room: WaitingRoom;
  readonly #chunks: Uint8Array[] = [];
  #isDone = false;
  #isDropped = false;
  #isWhole = false;
  #moved = Promise.withResolvers<void>();

  constructor(source: AsyncIterable<Uint8Array>, room: WaitingRoom, bytesMax: number) {
    this.#room = room;
    this.received = this.#pump(source, bytesMax);
    const broken = new AbortController();
    this.received.catch((reason: unknown) => broken.abort(reason));
    this.broken = broken.signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#room.heldBytes -= chunk.byteLength;
          this.#move();
          yield chunk;
        } else if (this.#isDone) {
          // Ends, or says why there is no more.
          await this.received;
          return;
        } else await this.#moved.promise;
      }
    } finally {
      this.drop();
    }
  }

  /** Of the whole document, which has to lie in memory for it. */
  async digest(): Promise<string> {
    this.#isWhole = true;
    this.#move();
    await this.received;
    const hash = createHash('sha256');
    for (const chunk of this.#chunks) hash.update(chunk);
    return hash.digest('hex');
  }

  /** Nobody reads further: what is held is let go, what still comes is not kept. */
  drop(): void {
    this.#isDropped = true;
    for (const { byteLength } of this.#chunks.splice(0)) this.#room.heldBytes -= byteLength;
    this.#move();
  }

  async #pump(source: AsyncIterable<Uint8Array>, bytesMax: number): Promise<void> {
    let size = 0;
    try {
      for await (const chunk of source) {
        size += chunk.byteLength;
        if (size > bytesMax) throw vectorErrors.documentTooLarge(bytesMax);
        if (this.#isDropped) continue;
        this.#chunks.push(chunk);
        this.#room.heldBytes += chunk.byteLength;
        this.#move();
        while (!this.#isWhole && this.#room.heldBytes > this.#room.bytesMax && this.#chunks.length > 0)
          await this.#moved.promise;
      }
    } finally {
      this.#isDone = true;
      this.#move();
    }
  }

  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
