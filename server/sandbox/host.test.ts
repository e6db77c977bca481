import { expect, test } from 'vitest';
import { findProgram } from './host.ts';

test('a missing sandbox program is named with both ways out', async () => {
  await expect(findProgram('no-such-program', 'bubblewrap')).rejects.toMatchObject({
    code: 'sandbox.missing',
    message: expect.stringMatching(/apt-get install bubblewrap.*--unsafe-no-sandbox/) as unknown,
  });
});

test('a program that is there is found', async () => {
  expect(await findProgram('true', 'coreutils')).toMatch(/\/true$/);
});
