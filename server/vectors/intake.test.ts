import { describe, expect, it } from 'vitest';
import { Intake, type WaitingRoom } from './intake.ts';

/** A client that sends four bytes at a time and counts how often it was read from. */
function client(chunks: number): AsyncGenerator<Uint8Array> & { sent: () => number } {
  let sent = 0;
  async function* send(): AsyncGenerator<Uint8Array> {
    for (; sent < chunks; sent++) yield Buffer.alloc(4, sent);
  }
  return Object.assign(send(), { sent: () => sent });
}

/** Lets everything that can go on go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const newRoom = (bytesMax = 1000): WaitingRoom => ({ heldBytes: 0, bytesMax });

describe('a document that arrives', () => {
  it('comes out whole, and leaves nothing behind', async () => {
    const room = newRoom();
    const intake = new Intake(client(5), room, 100);
    const chunks: Uint8Array[] = [];
    for await (const chunk of intake) chunks.push(chunk);
    expect(Buffer.concat(chunks).length).toBe(20);
    expect(room.heldBytes).toBe(0);
    await intake.received;
  });

  it('is taken in before anybody reads, up to what the room holds, and then at the reader’s pace', async () => {
    const room = newRoom(10);
    const source = client(100);
    const intake = new Intake(source, room, 1000);
    await settled();
    expect(source.sent()).toBeLessThanOrEqual(4);
    expect(room.heldBytes).toBeLessThanOrEqual(16);
    for await (const _ of intake) expect(room.heldBytes).toBeLessThanOrEqual(16);
    expect([source.sent(), room.heldBytes]).toEqual([100, 0]);
  });

  it('is refused once it is too large', async () => {
    const room = newRoom();
    const intake = new Intake(client(100), room, 10);
    await expect(intake.received).rejects.toMatchObject({ code: 'vectors.document_too_large' });
    expect(intake.broken.reason).toMatchObject({ code: 'vectors.document_too_large' });
    intake.drop();
    expect(room.heldBytes).toBe(0);
  });

  it('that is dropped is read to its end and not kept', async () => {
    const room = newRoom(8);
    const source = client(100);
    const intake = new Intake(source, room, 1000);
    intake.drop();
    await intake.received;
    expect([source.sent(), room.heldBytes]).toEqual([100, 0]);
  });

  it('that breaks off says so to its reader', async () => {
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('gone');
    }
    const intake = new Intake(breaking(), newRoom(), 100);
    const read = async (): Promise<void> => {
      for await (const _ of intake);
    };
    await expect(read()).rejects.toThrow('gone');
  });

  it('has the same digest however it was cut, and can be read after it', async () => {
    async function* whole(): AsyncGenerator<Uint8Array> {
      yield Buffer.from([0, 0, 0, 0, 1, 1, 1, 1]);
    }
    const room = newRoom(2);
    const cut = new Intake(client(2), room, 100);
    expect(await cut.digest()).toBe(await new Intake(whole(), newRoom(), 100).digest());
    let bytes = 0;
    for await (const chunk of cut) bytes += chunk.byteLength;
    expect([bytes, room.heldBytes]).toEqual([8, 0]);
  });
});
