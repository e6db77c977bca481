/** Questions in words. */
import { jellyfaas } from '@jellyfaas/sdk';

const client = jellyfaas({
  url: process.env['JELLYFAAS_URL'] ?? 'http://127.0.0.1:8080',
  apiKey: process.env['JELLYFAAS_API_KEY'] ?? '',
});

const { answer } = await client.ask('What is two and two?');
console.log(answer);

// The model may call the functions that you name, with your rights; `trace` shows what it did.
const greeted = await client.ask('Greet Ada.', { functions: ['greeter'], trace: true });
console.log(
  greeted.answer,
  greeted.trace?.map(({ type }) => type),
);

// The same while it happens. Leaving the loop, or the signal, cancels the question.
const options = { functions: ['greeter'], trace: true, stream: true } as const;
for await (const event of client.ask('Greet Ada.', options)) {
  if (event.type === 'tool-call') console.log('calls', event.function, event.arguments);
  if (event.type === 'text') process.stdout.write(event.text);
}
console.log();
