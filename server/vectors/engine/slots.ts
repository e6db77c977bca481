import { createSerial, type Serial } from '../../kernel/serial.ts';
import type { VectorStore } from '../../stores/vector-store.ts';
import { type Builder, createBuilder } from './builder.ts';
import type { StoreLimits } from './protocol.ts';
import type { VectorDatabase } from './vector-database.ts';

/** A database that is open or in use. Whatever touches its file runs in `serial`. */
export interface Slot {
  readonly id: string;
  readonly serial: Serial;
  /** Requests that wait or run. */
  waiting: number;
  isForgotten: boolean;
  open: OpenSlot | undefined;
  idle: NodeJS.Timeout | undefined;
}

export interface OpenSlot {
  readonly database: VectorDatabase;
  readonly store: VectorStore;
  readonly path: string;
  readonly key: Uint8Array;
}

/** Keeps the number of open files and the memory of their vectors within the limits. */
export interface Slots {
  readonly building: Builder<VectorDatabase>;
  /** Takes a place in the slot until the function that it returns is called. */
  enter(id: string): { readonly slot: Slot; readonly leave: () => void };
  /** Closes others that are idle until one more may be open. */
  makeRoom(slot: Slot): Promise<void>;
  /** Lets what waits for it or runs on it end, and closes it. */
  forget(id: string): Promise<void>;
  all(): Slot[];
}

export function createSlots(limits: StoreLimits): Slots {
  /** The one unused for longest first. */
  const slots = new Map<string, Slot>();
  const building = createBuilder<VectorDatabase>();

  async function closeOpen(slot: Slot): Promise<void> {
    clearTimeout(slot.idle);
    const { open } = slot;
    slot.open = undefined;
    if (open === undefined) return;
    building.remove(open.database);
    await open.database.close();
  }

  /** Unless a request comes first. A file that does not close well is whole all the same. */
  async function closeIdle(slot: Slot): Promise<void> {
    await slot
      .serial(async () => {
        if (slot.waiting === 0) await closeOpen(slot);
      })
      .catch(() => undefined);
    if (slot.waiting === 0 && slots.get(slot.id) === slot) slots.delete(slot.id);
  }

  function closeWhenIdle(slot: Slot): void {
    clearTimeout(slot.idle);
    slot.idle = setTimeout(() => {
      // What has been built of a graph would be lost.
      if (slot.open !== undefined && building.has(slot.open.database)) closeWhenIdle(slot);
      else void closeIdle(slot);
    }, limits.openIdleMs);
  }

  /** Closes those unused for longest until the rest fits. What is in use stays; the bound on requests bounds it. */
  async function trim(slot: Slot, openMax: number): Promise<void> {
    const others = [...slots.values()].filter((other) => other !== slot && other.open !== undefined);
    const bytesOf = ({ open }: Slot): number => open?.database.bytes ?? 0;
    let bytes = others.reduce((sum, other) => sum + bytesOf(other), bytesOf(slot));
    let open = others.length + (slot.open === undefined ? 0 : 1);
    for (const other of others) {
      if (bytes <= limits.memoryMib * 2 ** 20 && open <= openMax) return;
      if (other.waiting > 0) continue;
      bytes -= bytesOf(other);
      open--;
      await closeIdle(other);
    }
  }

  return {
    building,
    enter(id) {
      const slot = slots.get(id) ?? newSlot(id);
      slots.delete(id);
      slots.set(id, slot);
      slot.waiting++;
      const leave = (): void => {
        slot.waiting--;
        closeWhenIdle(slot);
        void trim(slot, limits.openMax);
      };
      return { slot, leave };
    },
    makeRoom: (slot) => trim(slot, limits.openMax - 1),
    async forget(id) {
      const slot = slots.get(id);
      if (slot === undefined) return;
      slot.isForgotten = true;
      await slot.serial(async () => await closeOpen(slot));
      slots.delete(id);
    },
    all: () => [...slots.values()],
  };
}

function newSlot(id: string): Slot {
  const serial = createSerial();
  return { id, serial, waiting: 0, isForgotten: false, open: undefined, idle: undefined };
}
