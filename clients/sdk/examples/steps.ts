/** The same step by step, as the public SDK does it. */
import { AIClient, Client, Config } from '@jellyfaas/sdk';

const url = process.env['JELLYFAAS_URL'] ?? 'http://127.0.0.1:8080';
const config = new Config(process.env['JELLYFAAS_API_KEY'] ?? '', { url });

const greeter = new Client(config).setVersion(1);
await greeter.lookupFunction('greeter');
greeter.setFunctionQueryParams({ name: 'Ada' });
console.log(await greeter.invoke<{ greeting: string }>());

const sum = await new Client(config).lookupFunction('sum-up');
console.log(await sum.setFunctionJsonBody({ numbers: [1, 2, 3] }).invoke());

const reverse = await new Client(config).lookupFunction('reverse');
console.log(await reverse.setFunctionFileBody(new TextEncoder().encode('desserts')).invoke());

const ai = new AIClient(config);
console.log((await ai.query('What is two and two?')).answer);
await ai.lookupFunction('greeter');
console.log((await ai.query('Greet Ada.')).answer);
