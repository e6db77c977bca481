import { describe, expect, it } from 'vitest';
import type { Deployment, LibraryChange } from '../calls/deployment.ts';
import type { AccountId, DeploymentId, FunctionId } from '../kernel/ids.ts';
import { type LiveDirectory, createDirectory } from './directory.ts';

const ownerId = 'acct_owner' as AccountId;
const functionId = 'fn_greeter' as FunctionId;
const deployment: Deployment = {
  id: 'greeter-d4hq7r3c1ab2cd3ef4gh-1-s' as DeploymentId,
  functionId,
  ownerId,
  shortname: 'greeter',
  version: 1,
  size: 's',
  runtime: 'nodejs24',
  layer: null,
  entrypoint: 'greeter',
  published: false,
  egress: [],
  timeoutMs: 1000,
  corsOrigins: [],
};

function watched(): { directory: LiveDirectory; changes: LibraryChange[] } {
  const directory = createDirectory(() => Promise.reject(new Error('no code')));
  const changes: LibraryChange[] = [];
  directory.onChanged((change) => changes.push(change));
  return { directory, changes };
}

describe('the directory', () => {
  it('tells a private change as one of its owner alone', () => {
    const { directory, changes } = watched();
    directory.add([deployment]);
    directory.retire(functionId, 1);
    expect(changes).toEqual([
      { ownerId, isPublic: false },
      { ownerId, isPublic: false },
    ]);
  });

  it('tells publishing, withdrawing and changes in between as ones that everybody sees', () => {
    const { directory, changes } = watched();
    directory.add([deployment]);
    changes.length = 0;
    directory.setPublished(functionId, true);
    directory.add([
      { ...deployment, id: 'greeter-d4hq7r3c1ab2cd3ef4gh-2-s' as DeploymentId, published: true },
    ]);
    directory.setPublished(functionId, false);
    expect(changes.map(({ isPublic }) => isPublic)).toEqual([true, true, true]);
  });

  it('tells nothing when nothing changed', () => {
    const { directory, changes } = watched();
    directory.retire(functionId);
    directory.setPublished(functionId, true);
    directory.add([]);
    expect(changes).toEqual([]);
  });
});
