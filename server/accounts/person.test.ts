import { describe, expect, test } from 'vitest';
import { validPerson } from './person.ts';

const good = { name: 'Ada Lovelace', email: 'ada@example.com' };

describe('a person', () => {
  test('is kept as given, in NFC and without outer space', () => {
    expect(validPerson({ name: ' Jose\u0301 ', email: 'jose\u0301@example.com' })).toEqual({
      name: 'José',
      email: 'josé@example.com',
    });
    const persian = { name: 'می\u200cخواهم', email: 'root@localhost' };
    expect(validPerson(persian)).toEqual(persian);
  });

  test.each([
    '',
    '   ',
    'a\nb',
    'a\0b',
    'a\u202eb',
    'a\u200bb',
    'a\ud800b',
    'a\u2028b',
    'x'.repeat(101),
    'x'.repeat(65536),
  ])('has no name like %j', (name) => {
    expect(() => validPerson({ ...good, name })).toThrow(
      expect.objectContaining({
        code: 'accounts.invalid_person',
        faults: [expect.objectContaining({ pointer: '/name' })],
      }),
    );
  });

  test.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'ada@example..com',
    'ada@.com',
    'a da@example.com',
    'ada@example.com\r\nBcc: all@example.com',
    'a\u202eda@example.com',
    `${'x'.repeat(65)}@example.com`,
    `ada@${'x.'.repeat(200)}com`,
    `${'x'.repeat(65536)}@example.com`,
  ])('has no e-mail address like %j', (email) => {
    expect(() => validPerson({ ...good, email })).toThrow(
      expect.objectContaining({
        code: 'accounts.invalid_person',
        faults: [expect.objectContaining({ pointer: '/email' })],
      }),
    );
  });
});
