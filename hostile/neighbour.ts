import { expect } from 'vitest';
import { type Client, type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';

/** Somebody else on the same machine, whose calls must go on being answered whatever happens next door. */
export interface Neighbour {
  readonly client: Client;
  readonly deployment: Deployed;
  /** Calls the neighbour's function and expects its answer. */
  answers(): Promise<void>;
}

let counter = 0;

/** Creates an account of its own with a function of its own. */
export async function moveIn(owner: Client): Promise<Neighbour> {
  const name = `nb${process.pid}x${counter++}`;
  const created = await owner.core(
    'POST',
    '/entity',
    JSON.stringify({ type: 'user', name, email: `${name}@example.org` }),
    {
      'content-type': 'application/json',
    },
  );
  const { password } = (await created.json()) as { password: string };
  const client = createClient(owner.url, password);
  const deployment = await client.deploy(name, fixtureFiles('probe', { shortname: name }));
  return {
    client,
    deployment,
    async answers() {
      const response = await client.call(deployment, '?do=status&code=200&text=here');
      expect([response.status, await response.text()]).toEqual([200, 'here']);
    },
  };
}
