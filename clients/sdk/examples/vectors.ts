/** Documents that answer questions. */
import { jellyfaas } from '@jellyfaas/sdk';

const client = jellyfaas({
  url: process.env['JELLYFAAS_URL'] ?? 'http://127.0.0.1:8080',
  apiKey: process.env['JELLYFAAS_API_KEY'] ?? '',
});

const manuals = client.vectors('manuals');
await manuals.create();

// The file lives in the server's memory until it is read; of its name a keyed hash is kept.
const text =
  '# Pumps\n\nThe red valve stops the pump. It is behind the panel.\n\n# Fans\n\nFans need no care.\n';
const { documentId, passages } = await manuals.upload(new TextEncoder().encode(text), {
  fileName: 'pumps.md',
  metadata: { year: 2026 },
  onProgress: ({ status }) => console.log(status),
});
console.log(documentId.length > 0, passages);

const { hits } = await manuals.query('How do I stop the pump?', { topK: 1, filter: { year: { gte: 2024 } } });
console.log(hits[0]?.text);

// In a model's words, if the server has one; else the best passages, quoted. It cites either way.
const { citations } = await manuals.ask('How do I stop the pump?');
for (const { quote, start, end } of citations) console.log(text.slice(start, end) === quote);

for await (const event of manuals.ask('How do I stop the pump?', { stream: true }))
  if (event.type === 'text') process.stdout.write(event.text);
console.log();

// Nothing of it can be read from here on; the receipt is the server's word for it.
console.log((await manuals.drop()).receipt.split('.').length);
