import { expect, it } from 'vitest';
import { collect } from './bytes.ts';
import { decodeResponse } from './bhttp.ts';
import { encodePaddedResponse, pad, padmeLength } from './padding.ts';
import { pieces, text } from './testing/rig.ts';

it('small messages all have one length', () => {
  expect(new Set([0, 1, 100, 256].map(padmeLength))).toEqual(new Set([256]));
});

it('lengths of larger ones grow by at most 12 %, and there are few of them', () => {
  const all = Array.from({ length: 70_000 }, (_, index) => index + 257);
  const wrong = all.filter((length) => padmeLength(length) < length || padmeLength(length) > length * 1.12);
  expect(wrong).toEqual([]);
  const lengths = new Set(all.map(padmeLength));
  expect(lengths.size).toBeLessThan(200);
});

it('what is appended is zero', () => {
  const padded = pad(Uint8Array.of(1, 2));
  expect([...padded.subarray(0, 3)]).toEqual([1, 2, 0]);
  expect(padded.subarray(2).every((byte) => byte === 0)).toBe(true);
});

it('answers of declared lengths look alike, in one piece, and come back as they were', async () => {
  const lengths = new Set<number>();
  for (const written of [['yes'], ['not ', 'at ', 'all']]) {
    const content = written.map((part) => new TextEncoder().encode(part));
    const headers = [['content-length', String(written.join('').length)]] as const;
    const sent: Uint8Array[] = [];
    for await (const piece of encodePaddedResponse({ status: 200, headers }, pieces(...content)))
      sent.push(piece);
    lengths.add(sent[0]?.length ?? 0);
    expect(sent).toHaveLength(1);
    const read = await decodeResponse(pieces(...sent));
    expect(text(await collect(read.content))).toBe(written.join(''));
  }
  expect(lengths.size).toBe(1);
});

it.each([
  ['that declare none', []],
  ['that are long', [['content-length', '1048577']] as const],
])('answers %s flow as they come', async (_, headers) => {
  const endless = async function* () {
    for (;;) yield Uint8Array.of(1);
  };
  const flowing = encodePaddedResponse({ status: 200, headers }, endless());
  const { content } = await decodeResponse(flowing);
  expect(await content.next()).toMatchObject({ value: Uint8Array.of(1) });
  await content.return();
});
