import type { Flavour, Worker } from './worker.ts';

export interface Shelf {
  readonly flavour: Flavour;
  readonly workers: Worker[];
  /** Set by a failed boot, until the flavour is used again: nothing boots in a loop. */
  isResting: boolean;
}

const SHELVES_MAX = 64;

/** Booted workers by flavour, in the order in which the flavours were last used. */
export class Shelves {
  /** Oldest use first. */
  readonly #shelves = new Map<string, Shelf>();

  get workers(): Worker[] {
    return [...this.#shelves.values()].flatMap((shelf) => shelf.workers);
  }

  /** The flavour's shelf, which thereby becomes the one used last. */
  use(flavour: Flavour): Shelf {
    const shelf = this.#shelves.get(flavour.key) ?? { flavour, workers: [], isResting: false };
    this.#shelves.delete(flavour.key);
    this.#shelves.set(flavour.key, shelf);
    const unused = [...this.#shelves.values()].find((each) => each.workers.length === 0);
    if (this.#shelves.size > SHELVES_MAX && unused !== undefined) this.#shelves.delete(unused.flavour.key);
    return shelf;
  }

  take(flavour: Flavour): Worker | undefined {
    return this.#shelves.get(flavour.key)?.workers.shift();
  }

  /** Among the `shelves` used last, the latest that wants another worker. */
  nextToFill(shelves: number, workersPerShelf: number): Shelf | undefined {
    return [...this.#shelves.values()]
      .slice(-shelves)
      .findLast((shelf) => !shelf.isResting && shelf.workers.length < workersPerShelf);
  }

  /** Takes a worker from the flavour used longest ago, sparing one. */
  takeOldest(spared?: Shelf): Worker | undefined {
    return [...this.#shelves.values()]
      .find((shelf) => shelf !== spared && shelf.workers.length > 0)
      ?.workers.shift();
  }
}
