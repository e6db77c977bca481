import { rmSync } from 'node:fs';
import type * as Fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  approvedRestore,
  createRig,
  readNotes,
  type Installation,
  type Places,
  type Rig,
  writeNotes,
} from './testing/rig.ts';

/**
 * kill -9 at every step: before each change that the code makes to a disk, all three places are copied as they lie there,
 * which is what the end of the process at that moment leaves. Each copy is then opened as the next start would.
 */
const steps = vi.hoisted(() => ({ tell: undefined as ((name: string) => void) | undefined }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof Fs>();
  const told =
    <T extends unknown[], R>(name: string, change: (...given: T) => R) =>
    (...given: T): R => {
      steps.tell?.(name);
      return change(...given);
    };
  return {
    ...real,
    open: (...given: Parameters<typeof real.open>) => {
      if (given[1] !== 'r') steps.tell?.('open');
      return real.open(...given);
    },
    rename: told('rename', real.rename),
    rm: told('rm', real.rm),
    mkdir: told('mkdir', real.mkdir),
    unlink: told('unlink', real.unlink),
  };
});

/** What has been acknowledged when the crash comes, and what may have come about besides. */
interface Expected {
  readonly notes: readonly string[];
  readonly dropped: readonly string[];
  /** Complete generations, and what each holds in `kept`. */
  readonly generations: ReadonlyMap<number, readonly string[]>;
}

interface Crash {
  readonly step: string;
  readonly places: Places;
  readonly expected: Expected;
}

const rigs: Rig[] = [];
afterAll(() => rigs.forEach((rig) => rig.remove()));

async function crashesDuring(
  rig: Rig,
  expected: () => Expected,
  work: () => Promise<void>,
): Promise<Crash[]> {
  const crashes: Crash[] = [];
  steps.tell = (step) => void crashes.push({ step, places: rig.snapshot(), expected: expected() });
  try {
    await work();
  } finally {
    steps.tell = undefined;
  }
  return crashes;
}

async function namesIn({ databases, owner }: Installation): Promise<string[]> {
  return (await databases.list(owner.holder, 'sql')).map(({ name }) => name);
}

/** The next start has all that was acknowledged, and each complete generation verifies and comes back without the dead. */
async function check(rig: Rig, { places, expected }: Crash): Promise<void> {
  const started = await rig.open(places);
  const names = await namesIn(started);
  expect(await readNotes(started, 'kept')).toEqual(expected.notes);
  for (const name of expected.dropped) expect(names).not.toContain(name);
  const listed = (await started.backups.list(null)).map(({ generation }) => generation);
  for (const number of expected.generations.keys()) {
    expect(listed).toContain(number);
    expect((await started.backups.verify(null, { generation: number, share: 1 })).findings).toEqual([]);
  }
  await started.backups.make(null);
  expect((await started.backups.verify(null, { share: 1 })).findings).toEqual([]);
  await started.close();

  const newest = [...expected.generations].at(-1);
  if (newest === undefined) return;
  const [generation, notes] = newest;
  const elsewhere = { ...places, dataDir: join(places.dataDir, '../elsewhere') };
  await rig.restore({ generation, reason: 'the machine burnt' }, elsewhere);
  const restored = await rig.open(elsewhere);
  expect(await readNotes(restored, 'kept')).toEqual(notes);
  for (const name of expected.dropped) expect(await namesIn(restored)).not.toContain(name);
  await restored.close();
}

async function checkAll(rig: Rig, crashes: readonly Crash[]): Promise<void> {
  for (const [index, crash] of crashes.entries()) {
    await check(rig, crash).catch((error: unknown) => {
      throw new Error(`crash ${index} of ${crashes.length}, before ${crash.step}`, { cause: error });
    });
    rmSync(join(crash.places.dataDir, '..'), { recursive: true, force: true });
  }
}

describe('kill -9 at every step', () => {
  it('loses nothing acknowledged, and nothing erased comes back', { timeout: 600_000 }, async () => {
    const rig = createRig({ keep: 3 });
    rigs.push(rig);
    const installation = await rig.open();
    const notes: string[] = [];
    const dropped: string[] = [];
    const generations = new Map<number, readonly string[]>();
    const write = async (note: string): Promise<void> => {
      await writeNotes(installation, 'kept', [note]);
      notes.push(note);
    };
    for (const name of ['first', 'second', 'third']) await writeNotes(installation, name, [name]);
    await write('before');
    const make = async (): Promise<void> => {
      const oldest = [...generations.keys()][0];
      // It may go while the fourth is made, and then has to be gone.
      if (generations.size === 3 && oldest !== undefined) generations.delete(oldest);
      const { generation } = await installation.backups.make(null);
      generations.set(generation, [...notes]);
    };
    const drop = async (name: string): Promise<void> => {
      await installation.databases.drop(installation.owner.holder, 'sql', name);
      dropped.push(name);
    };
    const now = (): Expected => ({
      notes: [...notes],
      dropped: [...dropped],
      generations: new Map(generations),
    });
    const crashes = await crashesDuring(rig, now, async () => {
      await make();
      await drop('first');
      steps.tell?.('after a drop');
      await write('between');
      await make();
      const { info } = await installation.accounts.createKey(installation.owner.holder);
      const principal = await installation.accounts.authenticateKey(installation.owner.apiKey);
      if (principal !== undefined) await installation.accounts.revokeKey(principal, info.id);
      await drop('second');
      await make();
      await write('late');
      await make();
      await drop('third');
      steps.tell?.('at the end');
    });
    await installation.close();
    expect(crashes.length).toBeGreaterThanOrEqual(200);
    await checkAll(rig, crashes);
  });

  it('leaves a restore undone or done, never half', { timeout: 600_000 }, async () => {
    const rig = createRig();
    rigs.push(rig);
    const installation = await rig.open();
    await writeNotes(installation, 'kept', ['old']);
    await installation.backups.make(null);
    await writeNotes(installation, 'kept', ['new']);
    const order = await approvedRestore(installation, 1);
    await installation.close();

    const nothing: Expected = { notes: [], dropped: [], generations: new Map() };
    const crashes = await crashesDuring(
      rig,
      () => nothing,
      async () => void (await rig.restore(order)),
    );
    expect(crashes.length).toBeGreaterThan(30);
    const seen = new Set<string>();
    for (const { places } of crashes) {
      const started = await rig.open(places);
      const notes = (await readNotes(started, 'kept')).join();
      seen.add(notes);
      expect(['old', 'old,new']).toContain(notes);
      const [request] = await started.backups.restores();
      expect(request?.executedAt !== null, 'told as done').toBe(notes === 'old');
      expect((await started.backups.verify(null, { generation: 1, share: 1 })).findings).toEqual([]);
      await started.close();
      if (notes === 'old,new') await rig.restore(order, places);
    }
    expect(seen.size).toBe(2);
  });
});
