import { describe, expect, it } from 'vitest';
import { type Outcome, runAgainst } from '../testing/run-against.ts';

const INVITATION = {
  address: 'https://there.example.org/api/v1/rights/receptions',
  token: 'rcv_token',
  expiresAt: '2026-11-25T00:00:00Z',
};
const TAKEN = {
  taken: { site: 1, document: 12 },
  left: [{ kind: 'function version', name: 'greeter 1', code: 'functions.shortname_taken' }],
  leftCount: 1,
  receipt: 'a.b.c',
};

function against(words: readonly string[], input = ''): Promise<Outcome> {
  return runAgainst(
    ({ method, url }, response) => {
      if (method === 'DELETE') {
        response.writeHead(204).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(url.endsWith('/invitations') ? INVITATION : TAKEN));
    },
    ['rights', ...words],
    input,
  );
}

describe('rights', () => {
  it('takes over a copy from a pipe, and says what stayed behind and why', async () => {
    const { out, asked } = await against(['import', '-'], 'the copy');
    expect(asked).toEqual(['POST /api/v1/rights/imports the copy']);
    expect(out).toBe(
      'Taken over: 1 × site, 12 × document\nLeft behind: 1\n' +
        '  function version greeter 1: functions.shortname_taken\nReceipt: a.b.c\n',
    );
  });

  it('invites, and takes the invitation back', async () => {
    const { out } = await against(['invite']);
    expect(out).toContain(INVITATION.address);
    expect(out).toContain(INVITATION.token);
    const revoked = await against(['invite', '--revoke']);
    expect(revoked.asked).toEqual(['DELETE /api/v1/rights/invitations ']);
  });

  it('sends to the address, with the token from a pipe and not from the command line', async () => {
    const { out, asked } = await against(['send', INVITATION.address], 'rcv_token\n');
    expect(asked).toEqual([
      `POST /api/v1/rights/transmissions {"address":"${INVITATION.address}","token":"rcv_token"}`,
    ]);
    expect(out).toContain('Left behind: 1; the invitation says what.');
    const without = await against(['send', INVITATION.address]);
    expect([without.code, without.asked]).toEqual([2, []]);
  });

  it('writes a copy into a new file alone', async () => {
    const { code, asked } = await against(['copy']);
    expect([code, asked]).toEqual([2, []]);
  });
});
