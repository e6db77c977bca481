import { addressOf, dataDirFor, type Measurement, requestText, withPlatform } from './bench.ts';
import { cpuSeconds } from './processes.ts';

/** API key to token. By CPU time, so that neither the load nor the other core counts. */
export const measureValidate: Measurement = (bench) =>
  withPlatform(dataDirFor(bench, 'validate'), {}, async ({ platform }) => {
    bench.note('validate');
    const load = {
      target: addressOf(platform.url),
      request: requestText('/auth-service/v1/validate', { 'x-jf-apikey': platform.apiKey }),
      connections: 8,
    };
    await bench.loader.run({ ...load, requests: 4000 });
    const requests = bench.isQuick ? 5000 : 30_000;
    const before = cpuSeconds(platform.pid);
    const { perSecond } = await bench.loader.run({ ...load, requests });
    const seconds = cpuSeconds(platform.pid) - before;
    return [
      {
        what: 'Validate: requests per second of CPU',
        unit: '/s',
        measured: requests / seconds,
        goal: { atLeast: 3000 },
        detail: `${Math.round(perSecond)}/s by the clock, c=8`,
      },
    ];
  });
