import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInstallation, idsOf, person, specWith, type Installation } from './testing/installation.ts';

const alice = person();
const bob = person('owner');

let at: Installation;
beforeEach(async () => {
  at = await createInstallation();
});
afterEach(() => at.dispose());

describe('the library', () => {
  it('shows of a function what its newest version says, and every version newest first', async () => {
    await at.deployed(alice, 'greeter');
    at.statistics = new Map([[2, { invocations: 3, failures: 1, avgDurationMs: 12 }]]);
    await at.deployed(alice, 'greeter', {
      ...specWith('greeter', { name: 'Greets', tags: ['hello'], ai: true, description: 'Says hello' }),
      'README.md': '# Read me',
      'CHANGELOG.md': 'Changelog\n\n# Date: 11/23/26\n\n## Added:\n\n- all of it\n',
    });
    expect(await at.functions.library(alice)).toMatchObject([
      {
        shortname: 'greeter',
        name: 'Greets',
        description: 'Says hello',
        ownerName: `name of ${alice.accountId}`,
        mine: true,
        active: true,
        published: false,
        tags: ['hello'],
        ai: true,
        versions: [
          {
            version: 2,
            readme: '# Read me',
            changelog: { added: '- all of it' },
            runtimeDetail: 'Node 22.23.3',
            deployments: [{ size: 's', version: 2 }],
            statistics: { invocations: 3 },
          },
          { version: 1, readme: '', changelog: null, statistics: { invocations: 0 } },
        ],
      },
    ]);
  });

  it('answers others about a private function exactly as about none', async () => {
    await at.deployed(alice, 'greeter');
    expect(await at.functions.library(bob)).toEqual([]);
    const refusals = await Promise.allSettled([
      at.functions.get(bob, 'greeter'),
      at.functions.get(bob, 'nothing'),
      at.functions.lookup(bob, 'greeter'),
      at.functions.lookup(bob, 'nothing'),
      at.functions.lookup(alice, 'greeter', 7),
      at.functions.setPublished(bob, 'greeter', true),
      at.functions.setPublished(bob, 'nothing', true),
    ]);
    const shown = refusals.map((refusal) => refusal.status === 'rejected' && JSON.stringify(refusal.reason));
    expect(new Set(shown).size).toBe(1);
  });

  it('shows a published function to everybody, and a withdrawn one to its owner alone', async () => {
    const started = await at.deployed(alice, 'greeter');
    const published = await at.functions.setPublished(alice, 'greeter', true);
    expect(published).toMatchObject({ published: true, active: true });
    expect(await at.functions.get(bob, 'greeter')).toMatchObject({ mine: false, published: true });
    expect(at.functions.directory.find(idsOf(started)[0] ?? '')?.published).toBe(true);
    await at.functions.setPublished(alice, 'greeter', false);
    expect(await at.functions.library(bob)).toEqual([]);
    expect(at.functions.directory.find(idsOf(started)[0] ?? '')?.published).toBe(false);
    expect(await at.functions.library(alice)).toHaveLength(1);
  });

  it('keeps what is published published over a new version', async () => {
    await at.deployed(alice, 'greeter');
    await at.functions.setPublished(alice, 'greeter', true);
    const second = await at.deployed(alice, 'greeter');
    expect(at.functions.directory.find(idsOf(second)[0] ?? '')?.published).toBe(true);
  });

  it('looks up the newest or the given version of a function, in its first size', async () => {
    const first = await at.deployed(alice, 'greeter', specWith('greeter', { sizes: ['m', 's'] }));
    const second = await at.deployed(alice, 'greeter', specWith('greeter', { description: 'newest' }));
    const newest = await at.functions.lookup(alice, 'greeter');
    expect(newest.deployment.id).toBe(idsOf(second)[0]);
    expect(newest.spec.description).toBe('newest');
    expect((await at.functions.lookup(alice, 'greeter', 1)).deployment.id).toBe(idsOf(first)[0]);
  });

  it('takes names as a deploy does', async () => {
    await at.deployed(alice, 'greeter');
    expect(await at.functions.exists('gree_ ter')).toBe(true);
    expect(await at.functions.get(alice, 'gree ter')).toMatchObject({ shortname: 'greeter' });
    expect(await at.functions.exists('another')).toBe(false);
  });
});
