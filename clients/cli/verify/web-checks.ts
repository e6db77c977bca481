import { createHash } from 'node:crypto';
import type { AimeeSite, AimeeSnippet } from '../api.ts';
import { faultIf } from './findings.ts';
import type { Installation, Part } from './installation.ts';
import { type Seen, expectJson } from './visit.ts';

const SITES = '/api/v1/aimee/sites';
/** Headers by which a browser would keep something or report something. */
const MARKS = ['set-cookie', 'etag', 'last-modified', 'accept-ch', 'nel', 'report-to', 'reporting-endpoints'];

/** What a visitor of a customer's site meets before he has a browser: headers and the file. */
export const widgetPart: Part = {
  name: 'widget',
  clauses: ['P23'],
  async run(installation) {
    const { guest, findings, run } = installation;
    const made = await guest.visit(SITES, { json: { name: run.mark('name of a site') } });
    if (made.status === 503) {
      findings.skip(
        ['P23'],
        'The chat of a site',
        'no embedding model is configured, so no site can be made',
      );
      return;
    }
    const { id } = expectJson<AimeeSite>(made, SITES, 201);
    const snippet = await guest.visit(`${SITES}/${id}/snippet`);
    if (snippet.status === 503)
      findings.skip(['P23'], 'The file of the widget', 'this server was built without it');
    else await checkFile(installation, expectJson<AimeeSnippet>(snippet, `${SITES}/…/snippet`));
    await checkMessages(installation, id);
  },
};

async function checkFile({ nobody, findings }: Installation, { html, fileUrl }: AimeeSnippet): Promise<void> {
  const file = await nobody(new URL(fileUrl).pathname, { headers: { accept: '*/*' } });
  const [, promised = ''] = /integrity="([^"]+)"/.exec(html) ?? [];
  const [algorithm = 'sha384'] = promised.split('-');
  const actual = `${algorithm}-${createHash(algorithm).update(file.bytes).digest('base64')}`;
  findings.check(['P23'], 'Loaded the widget and hashed it', {
    faults: [
      ...faultIf(actual !== promised, 'the file is not the one whose hash the snippet names'),
      ...markFaults(file),
    ],
    observed: 'the hash is that of the snippet (SRI); no cookie, no ETag, nothing to recognise a browser by',
  });
}

async function checkMessages({ nobody, run, findings }: Installation, site: string): Promise<void> {
  const message = { site, text: run.mark('message of a visitor') };
  const headers = { origin: 'null' };
  const seen = [
    await nobody('/aimee/v1/messages', { json: message, headers }),
    await nobody('/aimee/v1/messages', { json: { ...message, site: `site_${'0'.repeat(20)}` }, headers }),
    await nobody('/aimee/v1/messages', {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'POST' },
    }),
    await nobody('/aimee/v1/messages', { headers }),
  ];
  findings.check(['P23'], 'Sent a message as a visitor would, and tried to read', {
    faults: [
      ...seen.flatMap(markFaults),
      ...faultIf(
        seen.some((one) => one.headers['access-control-allow-credentials'] !== undefined),
        'browsers may send credentials along',
      ),
      ...faultIf((seen[3]?.status ?? 0) < 400, 'a visitor can read'),
    ],
    observed: 'no cookie, no ETag, no credentials, and no way to read',
  });
}

function markFaults({ headers }: Seen): string[] {
  return MARKS.filter((name) => name in headers).map((name) => `an answer has the header ${name}`);
}

/** What tells browsers and proxies on the way to keep and to leak nothing. */
export const headerPart: Part = {
  name: 'headers',
  clauses: ['P4', 'P6'],
  async run({ nobody, guest, findings }) {
    const answers = [
      await guest.visit('/api/v1/me'),
      await guest.visit('/api/v1/calls'),
      await nobody('/api/v1/me'),
      await nobody('/api/v1/no-such-path'),
    ];
    findings.check(['P4', 'P6'], 'Read the headers of answers, refusals among them', {
      faults: answers.flatMap((answer) => [
        ...headerFaults(answer, API_HEADERS),
        ...faultIf('set-cookie' in answer.headers, 'an answer to an API key sets a cookie'),
      ]),
      observed: 'not to be stored, no referrer, no sniffing, no frames, no cookie',
    });
    const page = await nobody('/', { headers: { accept: 'text/html' } });
    if (page.status === 503) {
      findings.skip(['P4'], 'The headers of the portal', 'this server was built without it');
      return;
    }
    findings.check(['P4'], 'Read the headers of the portal', {
      faults: [
        ...headerFaults(page, PAGE_HEADERS),
        ...faultIf('set-cookie' in page.headers, 'it sets a cookie before anybody has signed in'),
      ],
      observed: 'scripts, styles and connections of this server alone; no cookie before sign-in',
    });
  },
};

type Wanted = readonly (readonly [name: string, value: RegExp])[];

const API_HEADERS: Wanted = [
  ['cache-control', /no-store/],
  ['content-security-policy', /default-src 'none'/],
  ['referrer-policy', /^no-referrer$/],
  ['x-content-type-options', /^nosniff$/],
];
const PAGE_HEADERS: Wanted = [
  ['content-security-policy', /default-src 'none'.*connect-src 'self'.*frame-ancestors 'none'/],
  ['referrer-policy', /^no-referrer$/],
  ['x-content-type-options', /^nosniff$/],
];

function headerFaults({ headers, status }: Seen, wanted: Wanted): string[] {
  return wanted
    .filter(([name, value]) => !value.test(String(headers[name] ?? '')))
    .map(([name]) => `${name} is ${String(headers[name] ?? 'missing')} (status ${status})`);
}
