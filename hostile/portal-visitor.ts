import { expect } from 'vitest';
import type { ForgingProvider } from '../testkit/forging-provider.ts';

/** What pages of the portal and the browser send along. */
export const PAGE = { 'x-jellyfaas-portal': '1', 'sec-fetch-site': 'same-origin' };

export interface Departed {
  /** Where the platform sends the browser. */
  readonly location: string;
  /** What the browser keeps until it is back. */
  readonly cookie: string;
  readonly setCookie: string;
}

export interface Arrived {
  readonly status: number;
  readonly page: string;
  readonly cookies: string[];
  /** The new session's cookie. */
  readonly session: string | undefined;
}

/** A browser without its rules: it goes to the provider and back as a test wants. */
export interface Visitor {
  depart(query?: string, headers?: Record<string, string>): Promise<Departed>;
  arrive(answer: URLSearchParams, cookie: string): Promise<Arrived>;
  signIn(query?: string): Promise<Arrived>;
  /** A request of the portal's pages under this session. */
  ask(session: string | undefined, path?: string, request?: Asking): Promise<Response>;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: object;
}

export function createVisitor(url: string, provider: ForgingProvider): Visitor {
  const visitor: Visitor = {
    async depart(query = '', headers = {}) {
      const response = await fetch(`${url}/sign-in${query}`, { redirect: 'manual', headers });
      const [setCookie = ''] = response.headers.getSetCookie();
      const [cookie = ''] = setCookie.split(';');
      return { location: response.headers.get('location') ?? '', cookie, setCookie };
    },
    async arrive(answer, cookie) {
      const response = await fetch(`${url}/sign-in/callback?${answer.toString()}`, {
        redirect: 'manual',
        headers: { cookie },
      });
      const cookies = response.headers.getSetCookie();
      const session = cookies.find((text) => text.startsWith('__Host-jellyfaas='))?.split(';')[0];
      return { status: response.status, page: await response.text(), cookies, session };
    },
    async signIn(query) {
      const { location, cookie } = await visitor.depart(query);
      return await visitor.arrive(provider.answer(location), cookie);
    },
    ask: (session, path = '/api/v1/session', { method = 'GET', headers = {}, body } = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: {
          ...PAGE,
          ...(session !== undefined && { cookie: session }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
  return visitor;
}

/** Status and code of a refusal, which begins no session. */
export function refusal({ status, page, session }: Arrived): unknown {
  expect(session).toBeUndefined();
  return [status, /#sign-in=([a-z_.]+)/.exec(page)?.[1]];
}
