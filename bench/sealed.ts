import { jellyfaas } from '../clients/sdk/src/index.ts';
import { templateFiles } from '../testkit/zip.ts';
import { type Measurement, dataDirFor, withPlatform } from './bench.ts';
import { median } from './statistics.ts';

const WARM_UP = 200;

/** The same call through the SDK, sealed and plain in turns: what sealing costs at both ends. */
export const measureSealed: Measurement = (bench) =>
  withPlatform(dataDirFor(bench, 'sealed'), {}, async ({ platform, client }) => {
    bench.note('sealed calls');
    await client.deploy('sealed', templateFiles('nodejs24', { shortname: 'sealed' }));
    const sdk = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
    const timed = async (sealed: boolean): Promise<number> => {
      const from = performance.now();
      await sdk.invoke('sealed', { query: { name: 'foo' }, sealed });
      return performance.now() - from;
    };
    const plainMs: number[] = [];
    const sealedMs: number[] = [];
    for (let round = -WARM_UP; round < (bench.isQuick ? 500 : 2000); round++) {
      const [plain, sealed] = [await timed(false), await timed(true)];
      if (round < 0) continue;
      plainMs.push(plain);
      sealedMs.push(sealed);
    }
    const [plain, sealed] = [median(plainMs), median(sealedMs)];
    return [
      {
        what: 'Sealed call through the SDK, c=1: p50, of plain',
        unit: '×',
        measured: sealed / plain,
        detail: `p50 sealed ${sealed.toFixed(2)} ms, plain ${plain.toFixed(2)} ms`,
      },
    ];
  });
