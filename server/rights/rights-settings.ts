import * as z from 'zod';
import { list } from '../setting-forms.ts';

const HOLIDAY = /^(?:\d{4}-)?(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

export const rightsShape = {
  copyAllowedHosts: list
    .default([])
    .describe(
      'Hosts (`host`, or `host:port`) that accounts may send their copy to though they are not public or speak plain HTTP.',
    ),
  rightsHolidays: list
    .pipe(z.array(z.string().regex(HOLIDAY, 'is neither a date nor a month and day')))
    .default([])
    .describe(
      'Public holidays where you are, `2027-03-26` or `12-25` for every year: no answer to a request under the GDPR is due on them.',
    ),
};
