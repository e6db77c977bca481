/** A database of your own, and questions to it. */
import { jellyfaas } from '@jellyfaas/sdk';

const client = jellyfaas({
  url: process.env['JELLYFAAS_URL'] ?? 'http://127.0.0.1:8080',
  apiKey: process.env['JELLYFAAS_API_KEY'] ?? '',
});

const shop = client.sql('shop');
await shop.create();
await shop.migrate([
  { id: '001-orders', sql: 'CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total NUMERIC)' },
]);

// One transaction: all of them, or none.
await shop.batch([
  { sql: 'INSERT INTO orders (customer, total) VALUES (?, ?)', params: ['Ada', 12.5] },
  { sql: 'INSERT INTO orders (customer, total) VALUES (:who, :total)', params: { who: 'Ben', total: 30 } },
]);

const { rows } = await shop.query('SELECT customer, total FROM orders WHERE total > ?', [20], {
  readOnly: true,
});
console.log(rows);

// Rows as they come, however many there are. Leaving the loop ends the statement.
for await (const row of shop.stream('SELECT customer FROM orders ORDER BY id')) console.log(row['customer']);

await shop.import('customer,total\nCleo,7\n', { table: 'orders' });
const csv = await new Response(await shop.export({ table: 'orders' })).text();
console.log(csv.split('\n')[0]);

// A model writes one SELECT, which can read and nothing else; it is shown with the answer.
const { answer, sql } = await shop.ask('How many orders are there?');
console.log(answer, sql);

// Nothing of it can be read from here on; the receipt is the server's word for it.
console.log((await shop.drop()).receipt.split('.').length);
