import type { Readable } from 'node:stream';
import type { Holder } from '../accounts/principal.ts';
import { type Clock, rfc3339 } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { Copier, ImportOutcome } from './copier.ts';
import type { ManifestFile } from './packs/layout.ts';
import type { PackLimits } from './packs/limits.ts';
import { readPack } from './packs/read-pack.ts';
import { spoolOf } from './packs/spool.ts';
import { createPack } from './packs/write-pack.ts';
import type { Restriction } from './restriction.ts';

/** What became of a copy that was taken over. */
export interface TakenCopy {
  /** How many objects, by kind. */
  readonly taken: Readonly<Record<string, number>>;
  /** The first of those that stayed behind, with the code of the reason; `leftCount` counts all. */
  readonly left: readonly LeftObject[];
  readonly leftCount: number;
  /** Compact JWS of the installation. */
  readonly receipt: string;
}

export interface LeftObject {
  readonly kind: string;
  readonly name: string;
  readonly code: string;
}

/** Copies of what is kept of an account: given out, and taken over. */
export interface Copies {
  /** The zip, made as it is read; destroy it to end that. It fails where something cannot be read. */
  write(holder: Holder): Readable;
  /** Takes over a copy of any installation, after all of it has arrived and was checked. Rejects with `rights.pack_*`, `account.restricted`. */
  take(holder: Holder, content: AsyncIterable<Uint8Array>): Promise<TakenCopy>;
}

/** What a page beside a copy is made from. */
export interface PageFacts {
  readonly createdAt: string;
  readonly subject: string;
  readonly files: readonly ManifestFile[];
}

export interface CopiesOptions {
  /** In the order in which they export, and take over: what needs something else comes behind it. */
  readonly copiers: readonly Copier[];
  /** Where bytes that arrive lie while they are checked, encrypted and without a name. */
  readonly directory: string;
  readonly page: (facts: PageFacts) => string;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly restriction: Pick<Restriction, 'check'>;
  readonly clock: Clock;
  readonly version: string;
  readonly limits: PackLimits;
}

export function createCopies(options: CopiesOptions): Copies {
  const { copiers, directory, page, receipts, restriction, clock, version, limits } = options;

  return {
    write(holder) {
      const facts = { createdAt: rfc3339(clock.now()), subject: holder.accountId };
      const pack = createPack({ copiers, generator: `JellyFaaS ${version}`, ...facts });
      const make = async (): Promise<void> => {
        for (const copier of copiers) await copier.exportTo(holder, pack.writerOf(copier));
        await pack.finish((files) => page({ ...facts, files }));
      };
      make().catch((thrown: Error) => pack.output.destroy(thrown));
      return pack.output;
    },
    async take(holder, content) {
      restriction.check(holder.accountId);
      const spool = await spoolOf(content, { directory, bytesMax: limits.packBytesMax });
      try {
        const pack = await readPack(spool, { copiers, limits });
        const outcome = new Outcome();
        for (const copier of copiers) await copier.importFrom?.(holder, pack.readerOf(copier), outcome);
        const receipt = await receipts.sign({
          event: 'rights.copy_taken',
          account: holder.accountId,
          manifest: pack.sha256,
          at: rfc3339(clock.now()),
        });
        return { ...outcome.told(), receipt };
      } finally {
        await spool.close();
      }
    },
  };
}

const LEFT_TOLD_MAX = 100;
const NAME_LENGTH_MAX = 128;

class Outcome implements ImportOutcome {
  readonly #taken = new Map<string, number>();
  readonly #left: LeftObject[] = [];
  #leftCount = 0;

  taken(kind: string): void {
    this.#taken.set(kind, (this.#taken.get(kind) ?? 0) + 1);
  }

  left(kind: string, name: string, thrown: unknown): void {
    if (!(thrown instanceof PlatformError)) throw thrown;
    this.#leftCount++;
    const object = { kind, name: name.slice(0, NAME_LENGTH_MAX), code: thrown.code };
    if (this.#left.length < LEFT_TOLD_MAX) this.#left.push(object);
  }

  told(): Pick<TakenCopy, 'taken' | 'left' | 'leftCount'> {
    return { taken: Object.fromEntries(this.#taken), left: this.#left, leftCount: this.#leftCount };
  }
}
