import { type JellyFaaS, jellyfaas } from '../clients/sdk/src/index.ts';
import { startModelOverTls } from '../testkit/model-over-tls.ts';
import { templateFiles } from '../testkit/zip.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Bench, type Measurement, dataDirFor, withPlatform } from './bench.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';

const TEXT = 'The red valve of the cooling pump is behind the panel. It is turned to the right.';

/** The same through the SDK, sealed and plain in turns: what sealing costs at both ends, and a jail of its own. */
export const measureSealed: Measurement = async (bench) => {
  const model = await startModelOverTls(() => ({ text: 'It is behind the panel. [1]' }));
  const env = { ...model.env, JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel() };
  try {
    return await withPlatform(dataDirFor(bench, 'sealed'), env, async ({ platform, client }) => {
      await client.deploy('sealed', templateFiles('nodejs24', { shortname: 'sealed' }));
      const sdk = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
      await sdk.vectors('manual').create();
      await sdk.vectors('manual').upload(new TextEncoder().encode(TEXT), { fileName: 'manual.txt' });
      return [
        await inTurns(bench, { what: 'Sealed call', rounds: 2000 }, (sealed) =>
          sdk.invoke('sealed', { query: { name: 'foo' }, sealed }),
        ),
        await inTurns(bench, { what: 'Sealed question', rounds: 500 }, (sealed) =>
          sdk.ask('Where is the valve?', { sealed }),
        ),
        await inTurns(bench, { what: 'Sealed search of a vector database', rounds: 500 }, (sealed) =>
          searched(sdk, sealed),
        ),
      ];
    });
  } finally {
    await model.close();
  }
};

function searched(sdk: JellyFaaS, sealed: boolean): Promise<unknown> {
  return sdk.vectors('manual', { sealed }).query('Where is the red valve?');
}

interface Turns {
  readonly what: string;
  readonly rounds: number;
}

async function inTurns(
  bench: Bench,
  { what, rounds }: Turns,
  work: (sealed: boolean) => Promise<unknown>,
): Promise<Row> {
  bench.note(what);
  const timed = async (sealed: boolean): Promise<number> => {
    const from = performance.now();
    await work(sealed);
    return performance.now() - from;
  };
  const measured = bench.isQuick ? rounds / 4 : rounds;
  const firstMs = await timed(true);
  const plainMs: number[] = [];
  const sealedMs: number[] = [];
  for (let round = -measured / 10; round < measured; round++) {
    const [plain, sealed] = [await timed(false), await timed(true)];
    if (round < 0) continue;
    plainMs.push(plain);
    sealedMs.push(sealed);
  }
  const [plain, sealed] = [median(plainMs), median(sealedMs)];
  return {
    what: `${what} through the SDK, c=1: p50, of plain`,
    unit: '×',
    measured: sealed / plain,
    detail: `p50 sealed ${sealed.toFixed(2)} ms, plain ${plain.toFixed(2)} ms; the first ${(firstMs / 1000).toFixed(1)} s`,
  };
}
