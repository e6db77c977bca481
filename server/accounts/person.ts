import { PlatformError } from '../kernel/errors.ts';
import type { Fault } from '../kernel/errors.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
}

const NAME_LENGTH_MAX = 100;
const EMAIL_LENGTH_MAX = 254;

/** Controls, unpaired surrogates, line separators, and characters that turn the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const EMAIL_FORM = /^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)*$/u;

/** The person in NFC and trimmed; `accounts.invalid_person` with one fault per field otherwise. */
export function validPerson(given: Person): Person {
  const faults: Fault[] = [];
  // Measured before it is normalised, which is not free.
  const name = given.name.length > 4 * NAME_LENGTH_MAX ? '' : given.name.normalize('NFC').trim();
  const email = given.email.length > EMAIL_LENGTH_MAX ? '' : given.email.normalize('NFC').trim();
  if (name.length === 0 || name.length > NAME_LENGTH_MAX || UNPRINTABLE.test(name)) {
    faults.push({
      pointer: '/name',
      message: `Give a name of 1 to ${NAME_LENGTH_MAX} printable characters.`,
    });
  }
  if (email.length > EMAIL_LENGTH_MAX || UNPRINTABLE.test(email) || !EMAIL_FORM.test(email)) {
    faults.push({
      pointer: '/email',
      message: `Give an e-mail address like name@example.com, at most ${EMAIL_LENGTH_MAX} characters.`,
    });
  }
  if (faults.length === 0) return { name, email };
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'accounts.invalid_person',
    message: 'Name or e-mail address cannot be used.',
    faults,
  });
}
