import type { Readable } from 'node:stream';
import type { Holder } from '../accounts/principal.ts';
import { type Clock, rfc3339 } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { Copier, ImportOutcome } from './copier.ts';
import { type Manifest, type ManifestFile, type MissingPart, NAME_LENGTH_MAX } from './packs/layout.ts';
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

export interface GivenCopy {
  /** The zip, made as it is read; destroy it to end that. */
  readonly content: Readable;
  /** What could not be read, and is named in it; all of it once it has ended. */
  missingCount(): number;
}

/** Copies of what is kept of an account: given out, and taken over. */
export interface Copies {
  write(holder: Holder): GivenCopy;
  /** Takes over a copy of any installation, after all of it has arrived and was checked. Rejects with `rights.pack_*`, `account.restricted`. */
  take(holder: Holder, content: AsyncIterable<Uint8Array>): Promise<TakenCopy>;
}

/** What a page beside a copy is made from. */
export interface PageFacts {
  readonly createdAt: string;
  readonly subject: string;
  readonly files: readonly ManifestFile[];
  readonly missing: readonly MissingPart[];
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
  readonly events: Pick<EventLog, 'emit'>;
  readonly version: string;
  readonly limits: PackLimits;
}

export function createCopies(options: CopiesOptions): Copies {
  const { copiers, directory, page, receipts, restriction, clock, events, version, limits } = options;

  return {
    write(holder) {
      const facts = { createdAt: rfc3339(clock.now()), subject: holder.accountId };
      const pack = createPack({ copiers, generator: `JellyFaaS ${version}`, ...facts });
      const make = async (): Promise<void> => {
        for (const copier of copiers) await copier.exportTo(holder, pack.writerOf(copier));
        await pack.finish((files, missing) => page({ ...facts, files, missing }));
        const count = pack.missingCount();
        if (count > 0) events.emit('rights.copy_incomplete', { count });
      };
      make().catch((thrown: Error) => pack.output.destroy(thrown));
      return { content: pack.output, missingCount: () => pack.missingCount() };
    },
    async take(holder, content) {
      restriction.check(holder.accountId);
      const spool = await spoolOf(content, { directory, bytesMax: limits.packBytesMax });
      try {
        const pack = await readPack(spool, { copiers, limits });
        const outcome = new Outcome(pack.missing);
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

class Outcome implements ImportOutcome {
  readonly #taken = new Map<string, number>();
  readonly #left: LeftObject[] = [];
  #leftCount = 0;

  /** With what could not be read where the copy was made. */
  constructor({ missing, missingCount }: Pick<Manifest, 'missing' | 'missingCount'>) {
    this.#leftCount = Math.max(missingCount, missing.length);
    for (const { path, name, code } of missing.slice(0, LEFT_TOLD_MAX))
      this.#left.push({ kind: path, name: name ?? '', code });
  }

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
