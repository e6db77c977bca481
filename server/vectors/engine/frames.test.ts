import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { seededRandom } from '../../../testkit/raw-zip.ts';
import { bytesOf, encodeFrame, floatsOf, type Frame, readFrames } from './frames.ts';

it('frames come out as they went in, however the stream cuts them', () => {
  const random = seededRandom(3);
  const frames: Frame<unknown>[] = Array.from({ length: 50 }, (_, index) => ({
    header: { index, text: 'ü\0𝕏'.repeat(Math.floor(random() * 100)) },
    parts: Array.from({ length: Math.floor(random() * 4) }, () =>
      bytesOf(Float32Array.from({ length: Math.floor(random() * 300) }, random)),
    ),
  }));
  const stream = new PassThrough();
  const heard: Frame<unknown>[] = [];
  readFrames(stream, (frame) => heard.push(frame));
  const bytes = Buffer.concat(frames.flatMap((frame) => encodeFrame(frame) ?? []));
  for (let from = 0; from < bytes.length;) {
    const size = 1 + Math.floor(random() ** 4 * 5000);
    stream.emit('data', bytes.subarray(from, (from += size)));
  }
  expect(heard.map(({ header }) => header)).toEqual(frames.map(({ header }) => header));
  for (const [index, { parts }] of heard.entries()) {
    expect(parts.map(floatsOf)).toEqual(frames[index]?.parts.map(floatsOf));
  }
});

it('a frame beyond the bounds is not written, and not read', () => {
  expect(encodeFrame({ header: 'x'.repeat(65 * 2 ** 20), parts: [] })).toBeUndefined();
  const stream = new PassThrough();
  readFrames(stream, () => expect.unreachable());
  stream.emit('data', Buffer.alloc(8, 0xff));
  expect(stream.destroyed).toBe(true);
});
