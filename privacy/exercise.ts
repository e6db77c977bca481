import { connect } from 'node:net';
import { type Client, type Deployed, fixtureFiles, rawExchange, zip } from '../testkit/index.ts';
import type { CanaryRun } from './harness/canary.ts';

/** The functions through which canaries are sent: the same probe with patience and without. */
export interface Probes {
  readonly patient: Deployed;
  readonly hasty: Deployed;
}

/** Deploys the probes; their source carries a canary too, because code lies encrypted as well. */
export async function deployProbes(client: Client, run: CanaryRun): Promise<Probes> {
  const source = fixtureFiles('probe');
  const code = Buffer.concat([
    source['index.js'] ?? Buffer.alloc(0),
    Buffer.from(`\n// ${run.mark('source code')}\n`),
  ]);
  const files = { ...source, 'index.js': code };
  const patient = await client.deploy('probe', {
    ...files,
    'jellyspec.json': fixtureFiles('probe')['jellyspec.json'] ?? '',
  });
  const hasty = await client.deploy('hasty', {
    ...files,
    'jellyspec.json':
      fixtureFiles('probe', { shortname: 'hasty', timeoutSeconds: 1 })['jellyspec.json'] ?? '',
  });
  return { patient, hasty };
}

/** Sends a canary through every input of a call; answers do not matter here, traces do. */
export async function exerciseCalls(client: Client, probes: Probes, run: CanaryRun): Promise<void> {
  await ordinaryCalls(client, probes.patient, run);
  await failingCalls(client, probes, run);
  await refusedCalls(client, probes.patient, run);
  await interruptedCalls(client, probes.patient, run);
}

async function settle(response: Promise<Response>): Promise<void> {
  await response.then((answer) => answer.arrayBuffer()).catch(() => undefined);
}

/** Calls that reach the function and are answered, with a canary in each place of request and response. */
export async function ordinaryCalls(client: Client, probe: Deployed, run: CanaryRun): Promise<void> {
  const post = (
    path: string,
    body: string | Uint8Array | FormData,
    headers: Record<string, string> = {},
  ): Promise<void> => settle(client.call(probe, path, { method: 'POST', body: body as string, headers }));
  await settle(client.call(probe, `/path/${run.mark('path')}?do=echo`));
  await settle(client.call(probe, `?do=echo&q=${run.mark('query')}`));
  await settle(client.call(probe, `?do=echo&${run.mark('query name')}=1`));
  for (const name of [
    'x-secret',
    'user-agent',
    'referer',
    'cookie',
    'x-forwarded-for',
    'x-request-id',
    'traceparent',
    'authorization',
  ]) {
    await settle(client.call(probe, '?do=echo', { headers: { [name]: run.mark(`header ${name}`) } }));
  }
  await post('?do=echo', JSON.stringify({ secret: run.mark('JSON body') }), {
    'content-type': 'application/json',
  });
  await post('?do=raw', run.mark('raw body and response body'), {
    'content-type': 'application/octet-stream',
  });
  await post('?do=raw', `${run.mark('large body')} `.repeat(150_000), { 'content-type': 'text/plain' });
  const form = new FormData();
  form.set(run.mark('multipart field name'), run.mark('multipart field'));
  form.set('file', new Blob([run.mark('file content')]), `${run.mark('file name')}.pdf`);
  await post('?do=raw', form);
  await settle(client.call(probe, `?do=status&code=500&text=${run.mark('function error text')}`));
  await settle(client.call(probe, `?do=log&text=${run.mark('console output')}`));
  await settle(client.call(probe, `?do=echo&q=${run.mark('HEAD')}`, { method: 'HEAD' }));
  await settle(client.call(probe, `?do=echo&q=${run.mark('OPTIONS')}`, { method: 'OPTIONS' }));
  await settle(
    client.call(probe, `?do=echo&q=${run.mark('DELETE')}`, {
      method: 'DELETE',
      body: run.mark('DELETE body'),
    }),
  );
  const paths = ['/tmp/a', '/dev/shm/b', '/app/c', '/run/fn/d', '/e'].join(',');
  await post(`?do=write&paths=${paths}`, run.mark('file written by the function'), {
    'content-type': 'text/plain',
  });
}

async function failingCalls(client: Client, { patient, hasty }: Probes, run: CanaryRun): Promise<void> {
  await settle(client.call(patient, `?do=throw&text=${run.mark('thrown error')}`));
  await settle(client.call(hasty, `?do=sleep&ms=5000&q=${run.mark('timeout')}`));
  const crash = (action: string, sink: string): Promise<void> =>
    settle(
      client.call(patient, `?do=${action}&q=${run.mark(sink)}`, {
        method: 'POST',
        body: run.mark(`${sink} body`),
      }),
    );
  await crash('exit', 'exit in mid-call');
  await crash('abort', 'abort in mid-call');
  await crash('oom', 'out of memory in mid-call');
}

async function refusedCalls(client: Client, probe: Deployed, run: CanaryRun): Promise<void> {
  const base = `${client.url}/${probe.deploymentId}`;
  await settle(fetch(`${base}?q=${run.mark('query without token')}`));
  await settle(fetch(base, { headers: { jfwt: run.mark('bad token') } }));
  await settle(
    fetch(`${client.url}/nothing-${'0'.repeat(20)}-1-s/${run.mark('unknown deployment')}`, {
      headers: { jfwt: await client.token() },
    }),
  );
  await settle(fetch(`${client.url}/${run.mark('unknown route')}?x=${run.mark('unknown route query')}`));
  await settle(
    fetch(`${client.url}/auth-service/v1/validate`, {
      headers: { 'x-jf-apikey': `sk_${run.mark('bad API key')}` },
    }),
  );
  await settle(
    fetch(`${client.url}/auth-service/v1/lookup?id=${run.mark('lookup id')}`, {
      headers: { 'x-jf-apikey': client.apiKey },
    }),
  );
  await settle(client.core('GET', `/exists?name=${run.mark('exists name')}`));
  await settle(
    client.core('POST', '/entity', `{"broken": "${run.mark('broken JSON')}`, {
      'content-type': 'application/json',
    }),
  );
  await settle(
    client.upload(run.mark('upload file name'), Buffer.from(`not a zip ${run.mark('upload content')}`)),
  );
  await settle(
    client.upload('bad', await zip('bad', { 'jellyspec.json': `{"name": "${run.mark('bad spec')}"}` })),
  );
  const head = `POST /${probe.deploymentId} HTTP/1.1\r\nhost: a\r\njfwt: ${await client.token()}\r\n`;
  await rawExchange(client.url, `GET /${run.mark('malformed request line')} HTTP/9.9\r\n\r\n`);
  await rawExchange(client.url, `${head}${run.mark('malformed header')}\r\n\r\n`);
  await rawExchange(
    client.url,
    `${head}content-length: 99999999999\r\n\r\n${run.mark('body over the limit')}`,
  );
}

async function interruptedCalls(client: Client, probe: Deployed, run: CanaryRun): Promise<void> {
  const gone = new AbortController();
  const call = client.call(probe, `?do=stream&chunks=50&every=20&q=${run.mark('client gone')}`, {
    signal: gone.signal,
  });
  const answer = await call;
  await answer.body?.getReader().read();
  gone.abort();
  await halfSentBody(client, probe, run);
  const during = settle(
    client.call(probe, `?do=stream&chunks=40&every=20&q=${run.mark('deploy during call')}`),
  );
  await client.deploy('probe', fixtureFiles('probe'));
  await during;
}

/** A client that promises a body, sends half of it and hangs up. */
async function halfSentBody(client: Client, probe: Deployed, run: CanaryRun): Promise<void> {
  const { hostname, port } = new URL(client.url);
  const token = await client.token();
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST /${probe.deploymentId}?do=raw HTTP/1.1\r\nhost: a\r\njfwt: ${token}\r\ncontent-length: 100000\r\n\r\n`,
      );
      socket.write(run.mark('half a body').repeat(10), () => socket.destroy());
    });
    socket.on('close', () => resolve());
    socket.on('error', () => undefined);
  });
}
