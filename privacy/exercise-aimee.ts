import type { Customer } from '../acceptance/aimee-customer.ts';
import { type Done, say, send } from '../acceptance/aimee-visitor.ts';
import type { AimeeGrant, AimeeSite } from '../contract/index.ts';
import type { ScriptedReply } from '../testkit/index.ts';
import type { CanaryRun } from './harness/canary.ts';
import type { Script } from './exercise-ai.ts';

export interface Chat {
  readonly url: string;
  /** Whose site it is. */
  readonly customer: Customer;
  /** An owner of the installation. */
  readonly staff: Customer;
  readonly script: Script;
  readonly run: CanaryRun;
}

const SUBJECT = 'Which valve stops the cooling pump';

/** A site whose every setting is a canary, and what its assistant knows. */
export async function furnishSite({ customer, run }: Chat): Promise<AimeeSite> {
  const site = await customer.createSite({
    name: run.mark('site name'),
    persona: `Be kind, says ${run.mark('persona')}.`,
    suggestions: [run.mark('suggested question')],
    handOver: { kind: 'email', email: `${run.mark('address for hand-overs')}@example.com` },
    look: {
      title: run.mark('title'),
      greeting: run.mark('greeting'),
      privacyUrl: `https://example.com/${run.mark('policy')}`,
      accent: '#3b5bdb',
      theme: 'auto',
      position: 'right',
    },
    messagesPerMinute: 1000,
  });
  const passage = `The red valve of ${run.mark('knowledge')} stops the cooling pump at once.`;
  const title = run.mark('knowledge title');
  await uploadAs(customer, site.id, { title, text: passage, name: `${run.mark('file name')}.md` });
  const damaged = `%PDF-1.7 ${run.mark('damaged document')}`;
  const name = `${run.mark('name of a damaged document')}.pdf`;
  await uploadAs(customer, site.id, { title: run.mark('title of a damaged document'), text: damaged, name });
  return site;
}

async function uploadAs(
  customer: Customer,
  siteId: string,
  { title, text, name }: { readonly title: string; readonly text: string; readonly name: string },
): Promise<void> {
  const form = new FormData();
  form.append('metadata', JSON.stringify({ title }));
  form.append('file', new Blob([text]), name);
  const { uploadId } = await customer.api<{ uploadId: string }>('POST', `/sites/${siteId}/knowledge`, form);
  for (;;) {
    const path = `/sites/${siteId}/uploads/${uploadId}`;
    const { status } = await customer.api<{ status: string }>('GET', path);
    if (!['queued', 'reading', 'embedding'].includes(status)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A canary through everything that a visitor's widget sends, and through what comes of it at models and mail servers. */
export async function exerciseVisitors({ url, script, run }: Chat, site: AimeeSite): Promise<void> {
  const ask = async (
    sink: string,
    replies: ScriptedReply[],
    more: object = {},
  ): Promise<Done | undefined> => {
    script.replies = replies;
    const text = `${SUBJECT} of ${run.mark(`question ${sink}`)}?`;
    const origin = `https://${run.mark(`origin ${sink}`)}.example`;
    return (await say(url, { site: site.id, text, origin, ...more })).done;
  };
  const first = await ask('at first', [{ text: `${run.mark('answer')} [1]`, deltaLength: 5 }]);
  const ticket = first?.ticket ?? '';
  const turns = [
    { role: 'visitor', text: run.mark('earlier question') },
    { role: 'assistant', text: run.mark('earlier answer') },
  ];
  await ask('that goes on', [{ text: `${run.mark('second answer')} [1]` }], { ticket, turns });
  await ask('with a forged ticket', [{ text: 'No.' }], { ticket: run.mark('forged ticket') });
  await ask('that the model fails on', [
    { status: 400, headers: { 'x-why': run.mark('refusal of a model') } },
  ]);
  await ask('whose answer is cut', [{ text: run.mark('cut answer').repeat(20), cutAfterBytes: 300 }]);
  await say(url, { site: site.id, text: `Who won in ${run.mark('question without an answer')}?` });
  await leaveEarly({ url, script, run }, site);

  const rated = { site: site.id, ticket, message: 1, rating: 'down' };
  await discard(send(url, 'feedback', rated));
  await discard(send(url, 'feedback', { ...rated, ticket: run.mark('ticket of feedback') }));
  await discard(
    send(url, 'hand-over', {
      site: site.id,
      ticket,
      email: `${run.mark('e-mail of a visitor')}@example.org`,
      text: run.mark('words to a person'),
      turns: [{ role: 'visitor', text: run.mark('turn that goes to a person') }],
    }),
  );
  const bad = [run.mark('unknown site'), { toString: run.mark('odd value') }];
  for (const key of bad)
    await discard(send(url, 'messages', { site: key as string, text: run.mark('refused') }));
  await discard(send(url, 'messages', {}, { body: `{"text": "${run.mark('broken message')}` }));
  const headers = {
    'content-type': 'application/json',
    'user-agent': run.mark('user agent'),
    referer: `https://example.com/${run.mark('referrer')}`,
    cookie: `c=${run.mark('cookie')}`,
    'x-forwarded-for': run.mark('forwarded for'),
  };
  script.replies = [{ text: 'Hello.' }];
  const text = run.mark('message with headers');
  await discard(send(url, `messages?q=${run.mark('query string')}`, { site: site.id, text }, { headers }));
}

/** A visitor who closes the page in the middle of the answer. */
async function leaveEarly(
  { url, script, run }: Pick<Chat, 'url' | 'script' | 'run'>,
  site: AimeeSite,
): Promise<void> {
  const gone = new AbortController();
  script.replies = [{ text: run.mark('answer that nobody waits for'), hang: 'after-first-write' }];
  const text = `${SUBJECT} of ${run.mark('abandoned question')}?`;
  const response = await fetch(`${url}/aimee/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ site: site.id, text }),
    signal: gone.signal,
  });
  await response.body?.getReader().read();
  gone.abort();
}

async function discard(answer: Promise<Response>): Promise<void> {
  await (await answer).arrayBuffer();
}

/** The same for the customer, who looks at it all and lends some to support. Nothing goes yet. */
export async function exerciseCustomer({ customer, staff, run }: Chat, site: AimeeSite): Promise<void> {
  const path = `/sites/${site.id}`;
  const ask = (method: string, where: string, body?: object): Promise<void> =>
    discard(customer.request(method, where, body));
  const conversations = (await customer.conversations(site.id)).map(({ id }) => id);
  for (const id of conversations) await ask('GET', `${path}/conversations/${id}`);
  await ask('GET', `${path}/conversations/${run.mark('unknown conversation')}`);
  await ask('GET', `${path}/conversations?cursor=${run.mark('cursor')}`);
  for (const text of ['cooling pump', run.mark('search term')])
    await ask('POST', `${path}/conversations/search`, { text });
  for (const format of ['csv', 'json']) await ask('GET', `${path}/export?format=${format}`);
  for (const page of ['unanswered', 'statistics', 'snippet', 'knowledge'])
    await ask('GET', `${path}/${page}`);
  await ask('POST', `${path}/purge`, { scope: 'reference', reference: run.mark('reference') });
  await ask('DELETE', `${path}/knowledge/${run.mark('unknown document')}`);
  await ask('PUT', path, { name: 'x', persona: { [run.mark('refused setting')]: 1 } });
  const grant = await customer.api<AimeeGrant>('POST', '/grants', {
    site: site.id,
    conversations: conversations.slice(0, 2),
    reason: run.mark('reason of a grant'),
    minutes: 10,
  });
  for (const id of [...conversations, run.mark('conversation that is not lent')])
    await discard(staff.request('GET', `/support/grants/${grant.id}/conversations/${id}`));
  await discard(staff.request('GET', `/support/grants/${run.mark('unknown grant')}/conversations/x`));
}

/** Pages that the customer wants read: the one thing for which AI.Mee turns to hosts that customers name. */
export async function exerciseCrawls({ customer, run }: Chat, { id }: AimeeSite): Promise<void> {
  const forms = [
    { urls: [`https://${run.mark('host of a page')}.invalid/`] },
    { sitemap: `https://127.0.0.1/${run.mark('sitemap')}.xml` },
  ];
  for (const form of forms) await discard(customer.request('POST', `/sites/${id}/crawl`, form));
}
