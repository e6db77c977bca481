import { describe, expect, it } from 'vitest';
import { htmlReport } from './report.ts';

const HOSTILE = `"><script src="https://evil.example/x.js"></script><img src=x onerror='go()'>`;

describe('the report of a verification', () => {
  it('shows what a hostile installation says as text, and loads nothing', () => {
    const check = { tried: HOSTILE, observed: HOSTILE, result: 'fail' } as const;
    const html = htmlReport({
      url: HOSTILE,
      version: HOSTILE,
      startedAt: '2026-01-01T00:00:00.000Z',
      dataDir: HOSTILE,
      clauses: [
        { id: HOSTILE, text: HOSTILE, open: HOSTILE, result: 'fail', tests: [HOSTILE], checks: [check] },
      ],
      counts: { pass: 0, fail: 1, unchecked: 0 },
      account: { name: HOSTILE, state: 'left' },
    });
    expect(html).not.toMatch(/<(?:script|img|link|iframe)\b/i);
    expect(html).not.toContain(HOSTILE);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });
});
