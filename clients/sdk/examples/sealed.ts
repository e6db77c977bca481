/** Calls that only the function's own sandbox can read: not the network, and not the platform's gateway. */
import { JellyFaaSError, jellyfaas } from '@jellyfaas/sdk';

const url = process.env['JELLYFAAS_URL'] ?? 'http://127.0.0.1:8080';
const apiKey = process.env['JELLYFAAS_API_KEY'] ?? '';

// The installation's key says that keys for sealing are its own. Get it by another way than this connection.
const published = await fetch(`${url}/.well-known/jellyfaas-receipts`);
const { keys } = (await published.json()) as { keys: { x: string }[] };
const client = jellyfaas({ url, apiKey, installationKey: keys[0]?.x ?? '' });

console.log(await client.invoke('greeter', { query: { name: 'Ada' }, sealed: true }));
console.log(await client.invoke('reverse', { file: new Blob(['desserts']), sealed: true }));

// Statuses of the function come out of the seal; what the server says itself rejects.
const response = await client.call('greeter', { query: { name: 'Ada', status: 404 }, sealed: true });
console.log(response.status, await response.text());

const stranger = jellyfaas({ url, apiKey, installationKey: 'A'.repeat(43) });
try {
  await stranger.invoke('greeter', { query: { name: 'Ada' }, sealed: true });
} catch (error) {
  if (!(error instanceof JellyFaaSError)) throw error;
  console.log(error.errorId);
}
