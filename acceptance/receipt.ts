import { createPublicKey, verify } from 'node:crypto';

/** What a receipt says, once the key that the installation publishes has proven it; throws otherwise. */
export async function receiptOf(url: string, jws: string): Promise<string> {
  const [head = '', payload = '', signature = ''] = jws.split('.');
  const published = await fetch(`${url}/.well-known/jellyfaas-receipts`);
  const { keys } = (await published.json()) as { keys: Record<string, string>[] };
  const key = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' });
  const isGenuine = verify(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
  if (!isGenuine) throw new Error('the receipt is not of this installation');
  return Buffer.from(payload, 'base64url').toString();
}
