import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ForgingProvider, startForgingProvider } from '../testkit/forging-provider.ts';
import { type Platform, startPlatform } from '../testkit/index.ts';
import { needlesFor, startCanaryRun } from '../privacy/harness/canary.ts';
import { readAllStores } from '../privacy/open-stores.ts';
import { sweepFolder } from '../privacy/harness/sweep.ts';
import { FORGERIES } from './forged-id-tokens.ts';
import { type Visitor, createVisitor, refusal } from './portal-visitor.ts';

/** Attacks on the way into the portal: forged tokens, ways that were begun elsewhere, claims that nobody asked for. */
const marks = startCanaryRun();
let provider: ForgingProvider;
let platform: Platform;
let visitor: Visitor;
/** As the provider was before a test changed it. */
let honest: Pick<ForgingProvider, 'person' | 'change' | 'forge' | 'userInfo' | 'extra'>;

beforeAll(async () => {
  provider = await startForgingProvider();
  const { person, change, forge, userInfo, extra } = provider;
  honest = { person, change, forge, userInfo, extra };
  platform = await startPlatform({ env: { ...provider.env, JELLYFAAS_SIGN_UP: 'open' } });
  visitor = createVisitor(platform.url, provider);
});
afterAll(async () => {
  await provider.close();
  platform.remove();
});
afterEach(() => {
  Object.assign(provider, honest);
});

describe('an honest provider', () => {
  it('signs in with cookies that no other site and no script can use', async () => {
    const departed = await visitor.depart();
    expect(departed.setCookie).toMatch(
      /^__Secure-jellyfaas-sign-in=[\w-]{43}; Path=\/sign-in\/callback; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
    );
    const arrived = await visitor.arrive(provider.answer(departed.location), departed.cookie);
    expect(arrived.status).toBe(200);
    expect(arrived.cookies).toEqual([
      expect.stringMatching(/^__Secure-jellyfaas-sign-in=; .*Max-Age=0$/),
      expect.stringMatching(/^__Host-jellyfaas=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/),
    ]);
    expect((await visitor.ask(arrived.session)).status).toBe(200);
  });

  it('is asked with code, PKCE, state and nonce, and for no more than is kept', async () => {
    const { searchParams } = new URL((await visitor.depart()).location);
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: provider.clientId,
      redirect_uri: `${platform.url}/sign-in/callback`,
      scope: 'openid profile email',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });
});

describe('an ID token that', () => {
  it.each(Object.entries(FORGERIES))('%s signs nobody in', async (_name, forge) => {
    provider.forge = (claims) => forge(provider, claims);
    expect(refusal(await visitor.signIn())).toEqual([403, 'sign_in.not_proven']);
  });

  it('is missing signs nobody in, whatever the user info endpoint says', async () => {
    provider.extra = { id_token: undefined };
    expect(refusal(await visitor.signIn())).toEqual([403, 'sign_in.not_proven']);
  });
});

describe('an answer of the provider', () => {
  it('is taken once: neither state nor code can be replayed', async () => {
    const { location, cookie } = await visitor.depart();
    const answer = provider.answer(location);
    expect((await visitor.arrive(answer, cookie)).session).toBeDefined();
    expect(refusal(await visitor.arrive(answer, cookie))).toEqual([403, 'sign_in.interrupted']);
    const again = await visitor.depart();
    const replayed = provider.answer(again.location);
    replayed.set('code', answer.get('code') ?? '');
    expect(refusal(await visitor.arrive(replayed, again.cookie))).toEqual([403, 'sign_in.not_proven']);
  });

  it('is for the browser that asked alone: not without its cookie, not with one of another', async () => {
    const victim = await visitor.depart();
    for (const cookie of ['', (await visitor.depart()).cookie, '__Secure-jellyfaas-sign-in=x']) {
      const { location } = await visitor.depart();
      expect(refusal(await visitor.arrive(provider.answer(location), cookie))).toEqual([
        403,
        'sign_in.interrupted',
      ]);
    }
    // An attacker's own way, finished in the browser of a victim: he would be signed in as the attacker.
    const attacker = await visitor.depart();
    const csrf = await visitor.arrive(provider.answer(attacker.location), victim.cookie);
    expect(refusal(csrf)).toEqual([403, 'sign_in.interrupted']);
  });

  it('without a state, or with one that nobody gave, is refused', async () => {
    const { location, cookie } = await visitor.depart();
    for (const state of [undefined, '', 'a'.repeat(43)]) {
      const answer = provider.answer(location);
      answer.delete('state');
      if (state !== undefined) answer.set('state', state);
      expect(refusal(await visitor.arrive(answer, cookie))).toEqual([403, 'sign_in.interrupted']);
    }
  });

  it('of another provider is refused (mix-up)', async () => {
    const { location, cookie } = await visitor.depart();
    const answer = provider.answer(location);
    answer.set('iss', 'https://evil.example.com');
    expect(refusal(await visitor.arrive(answer, cookie))).toEqual([403, 'sign_in.not_proven']);
  });

  it('with doubled parameters is refused', async () => {
    const { location, cookie } = await visitor.depart();
    const answer = provider.answer(location);
    answer.append('code', 'another');
    expect(refusal(await visitor.arrive(answer, cookie))).toEqual([403, 'sign_in.not_proven']);
  });

  it('that says no is told in our words', async () => {
    const { location, cookie } = await visitor.depart();
    const state = new URL(location).searchParams.get('state') ?? '';
    const answer = new URLSearchParams({ state, error: 'access_denied', error_description: '<b>mark</b>' });
    const arrived = await visitor.arrive(answer, cookie);
    expect(refusal(arrived)).toEqual([403, 'sign_in.refused']);
    expect(arrived.page).not.toContain('mark');
    expect(platform.output()).not.toContain('said-by-the-provider');
  });
});

describe('the way back', () => {
  it.each([
    'https://evil.example.com/',
    '//evil.example.com/',
    '/\\evil.example.com/',
    '/%0d%0aset-cookie:a=b/"><script>',
    'javascript:alert(1)',
  ])('never leads to %s', async (returnTo) => {
    const { page } = await visitor.signIn(`?returnTo=${encodeURIComponent(returnTo)}`);
    const [target] = /(?<=url=)[^"]*/.exec(page) ?? [];
    expect(new URL(target ?? '', platform.url).origin).toBe(platform.url);
    expect(page).not.toMatch(/script|evil\.example\.com|aaaaa/);
  });

  it('leads to the page where somebody was', async () => {
    expect((await visitor.signIn('?returnTo=/library?tag=a%26b=c')).page).toContain(
      'url=/library?tag=a&amp;b=c"',
    );
  });
});

describe('a person', () => {
  it.each([
    ['is not verified', { email_verified: false }],
    ['is said to be verified by nobody', { email_verified: undefined }],
    ['is missing', { email: undefined }],
  ])('whose e-mail address %s gets no account and none of another', async (_name, change) => {
    provider.person = { ...honest.person, sub: randomBytes(8).toString('hex'), ...change };
    expect(refusal(await visitor.signIn())).toEqual([403, 'sign_in.email_unverified']);
  });

  it('who says to have the address of somebody else gets nowhere', async () => {
    await visitor.signIn();
    provider.person = { ...honest.person, sub: 'somebody-else' };
    expect(refusal(await visitor.signIn())).toEqual([403, 'sign_in.no_account']);
    provider.person = { sub: 'owner-to-be', name: 'x', email: 'owner@localhost', email_verified: true };
    expect(refusal(await visitor.signIn())).toEqual([403, 'sign_in.no_account']);
  });

  it('of whom the user info endpoint tells as somebody else is not signed in', async () => {
    provider.person = { sub: 'short' };
    provider.userInfo = { sub: 'another', name: 'x', email: 'x@example.com', email_verified: true };
    expect(refusal(await visitor.signIn())).toEqual([403, 'sign_in.not_proven']);
    provider.userInfo = { ...provider.userInfo, sub: 'short' };
    expect((await visitor.signIn()).status).toBe(200);
  });
});

describe('what is stored', () => {
  it('of forty claims is name and address alone, and passwords lie nowhere', async () => {
    const name = `Name ${marks.mark('name')}`;
    const secret = marks.stem;
    const more = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`claim_${at}`, marks.mark(`claim ${at}`)]),
    );
    provider.person = {
      sub: marks.mark('subject'),
      name,
      email: 'forty@example.com',
      email_verified: true,
      picture: `https://example.com/${marks.mark('picture')}`,
      address: { street_address: marks.mark('address') },
      phone_number: marks.mark('phone'),
      ...more,
    };
    const { session } = await visitor.signIn();
    for (const path of ['/api/v1/session', '/api/v1/session/unlock', '/api/v1/sign-in-links']) {
      await visitor.ask(session, path, {
        method: 'POST',
        headers: { 'x-password': marks.mark('password header') },
        body: { password: marks.mark('password'), apiKey: `sk_${marks.mark('key')}` },
      });
    }
    const me = await (await visitor.ask(session, '/api/v1/me')).text();
    expect(me.replace(name, '')).not.toContain(secret);
    provider.person = { ...provider.person, name: `Other ${marks.mark('renamed')}` };
    await visitor.signIn();

    expect(platform.output()).not.toContain(secret);
    await platform.stop();
    expect(sweepFolder(platform.dataDir, needlesFor(secret))).toEqual([]);
    const rows = await readAllStores(platform.dataDir);
    const found = rows.flatMap(({ table, row }) =>
      Object.entries(row)
        .filter(([, value]) =>
          String(value instanceof Uint8Array ? Buffer.from(value) : value).includes(secret),
        )
        .map(([column, value]) => `${table}.${column}: ${String(value)}`),
    );
    expect(found).toEqual([`account.name: ${name}`]);
    const digest = createHash('sha256').update(String(provider.person['sub'])).digest();
    const identities = rows.filter(({ table }) => table === 'identity').map(({ row }) => Object.keys(row));
    expect(new Set(identities.flat())).toEqual(new Set(['account_id', 'subject_hmac']));
    for (const { row } of rows)
      for (const value of Object.values(row)) expect(value).not.toEqual(Buffer.from(digest));
  });
});
