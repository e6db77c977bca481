import { describe, expect, it } from 'vitest';
import { type ErrorKind, PlatformError } from '../kernel/errors.ts';
import { createEventLog } from '../kernel/events.ts';
import { renderError, reportFailure } from './errors.ts';

const STATUS: Record<ErrorKind, number> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 409,
  conflict: 409,
  locked: 423,
  too_large: 413,
  unsupported_media: 415,
  unprocessable: 422,
  resource_exhausted: 429,
  cancelled: 499,
  internal: 500,
  unimplemented: 501,
  bad_gateway: 502,
  unavailable: 503,
  deadline_exceeded: 504,
};

describe('rendered errors', () => {
  it.each(Object.entries(STATUS) as [ErrorKind, number][])('%s is %i in both shapes', (kind, status) => {
    const error = new PlatformError({ kind, code: 'area.what', message: 'What to do.' });
    expect(renderError(error, 'compatible')).toMatchObject({
      status,
      body: { errorId: 'area.what', errorMessage: 'What to do.' },
    });
    expect(renderError(error, 'problem')).toMatchObject({
      status,
      body: { status, code: 'area.what', detail: 'What to do.', type: 'urn:jellyfaas:error:area.what' },
    });
  });

  it('carry faults and the time to wait', () => {
    const error = new PlatformError({
      kind: 'resource_exhausted',
      code: 'area.what',
      message: 'Wait.',
      faults: [{ pointer: '/a', message: 'too many' }],
      retryAfterSeconds: 7,
    });
    expect(renderError(error, 'compatible')).toMatchObject({
      headers: { 'retry-after': '7' },
      body: { errorMessage: 'Wait. /a: too many' },
    });
    expect(renderError(error, 'problem').body).toMatchObject({
      errors: [{ pointer: '/a', message: 'too many' }],
      retryAfter: 7,
    });
  });

  it('show and log nothing of an unknown error but a constant of the system', () => {
    const lines: string[] = [];
    const events = createEventLog(
      (line) => lines.push(line),
      () => 0,
    );
    for (const code of ['EIO', 'secret value', 42]) {
      const thrown = Object.assign(new Error('secret words'), { code });
      expect(JSON.stringify(renderError(thrown, 'problem'))).not.toContain('secret');
      reportFailure(events, thrown, 'control');
    }
    reportFailure(events, new PlatformError({ kind: 'not_found', code: 'a.b', message: '' }), 'control');
    expect(lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual([
      'EIO',
      'platform.internal',
      'platform.internal',
    ]);
  });
});
