/** Functions in one call each. */
import { openAsBlob } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { JellyFaaSError, jellyfaas } from '@jellyfaas/sdk';

const client = jellyfaas({
  url: process.env['JELLYFAAS_URL'] ?? 'http://127.0.0.1:8080',
  apiKey: process.env['JELLYFAAS_API_KEY'] ?? '',
});

// Query parameters, a JSON body, a file: what a function takes tells `client.lookup(name)`.
console.log(await client.invoke('greeter', { query: { name: 'Ada' } }));
console.log(await client.invoke('sum-up', { json: { numbers: [1, 2, 3] } }));
console.log(await client.invoke('reverse', { file: new Blob(['desserts']) }));
const itself = await openAsBlob(fileURLToPath(import.meta.url));
console.log(String(await client.invoke('reverse', { file: itself })).length > 1000);

// The answer as it comes, for streaming or for statuses that are no failure to you.
const response = await client.call('greeter', { query: { name: 'Ada', status: 404 } });
console.log(response.status, await response.text());

// What fails says why, by a code that stays the same.
try {
  await client.invoke('no-such-function');
} catch (error) {
  if (!(error instanceof JellyFaaSError)) throw error;
  console.log(error.status, error.errorId);
}

// Every call can be cancelled, here after its time is up.
try {
  await client.invoke('greeter', { query: { name: 'forever' }, signal: AbortSignal.timeout(300) });
} catch (error) {
  console.log((error as Error).name);
}
