import type { ClauseResult } from './clause-results.ts';
import type { Finding } from './findings.ts';
import type { Verification } from './verify.ts';

export const RESULT_WORDS: Readonly<Record<Finding['result'], string>> = {
  pass: 'passes',
  fail: 'FAILS',
  unchecked: 'not checkable from here',
};

/** The counts in a sentence. */
export function summaryOf({ clauses, counts }: Verification): string {
  return `Of ${clauses.length} promises ${counts.pass} pass, ${counts.fail} fail, and ${counts.unchecked} cannot be checked from here.`;
}

/** What became of the throw-away account. */
export function farewellOf({ name, state }: Verification['account']): string {
  const ends = {
    erased: 'was made for this, and erased',
    emptied: 'was made for this and emptied; it stays, without a key that anybody has',
    left: 'was made for this and could not be removed; do so',
  };
  return `The account "${name}" ${ends[state]}.`;
}

/** One HTML file that loads nothing, for a screen reader, a screen or a printer. */
export function htmlReport(verification: Verification): string {
  const { url, version, startedAt, dataDir, clauses, account } = verification;
  const body = [
    '<h1>Privacy verification</h1>',
    `<p>${escape(summaryOf(verification))}</p>`,
    '<dl>',
    ...[
      ['Installation', `${url}, JellyFaaS ${version}`],
      ['Checked at', startedAt],
      ['Checked', dataDir === null ? 'through HTTP alone' : `through HTTP, and on the machine: ${dataDir}`],
      ['Account', farewellOf(account)],
    ].map(([name = '', value = '']) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`),
    '</dl>',
    overview(clauses),
    '<h2>Evidence</h2>',
    ...clauses.map(evidence),
  ].join('\n');
  return `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">\n<title>Privacy verification of ${escape(url)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n${body}\n</main>\n</body>\n</html>\n`;
}

const STYLE = [
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}',
  'main{max-width:60rem;margin:auto;padding:1rem}p,dd,li{max-width:75ch}',
  'dt{font-weight:600}dd{margin:0 0 .5rem}',
  'table{border-collapse:collapse;width:100%}',
  'th,td{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0;border-block-end:1px solid color-mix(in srgb,currentColor 25%,transparent)}',
  'caption{text-align:start;font-weight:600;padding-block:1rem .25rem}',
  'section{break-inside:avoid;margin-block:1.5rem}h3{margin-block:0 .25rem}',
  '.fail{border-inline-start:.25rem solid;padding-inline-start:.75rem}.fail h3{text-decoration:underline}',
  '@media print{:root{color-scheme:light;font-size:11px}main{max-width:none;padding:0}}',
].join('');

function overview(clauses: readonly ClauseResult[]): string {
  const rows = clauses.map(
    ({ id, result, checks }) =>
      `<tr><th scope="row"><a href="#${escape(id)}">${escape(id)}</a></th><td>${RESULT_WORDS[result]}</td><td>${checks.length}</td></tr>`,
  );
  return `<table><caption>Promise by promise</caption><thead><tr><th scope="col">promise</th><th scope="col">result</th><th scope="col">checks</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function evidence({ id, text, open, result, checks, tests }: ClauseResult): string {
  const items = checks.map(
    (check) =>
      `<li>${escape(check.tried)}: <strong>${RESULT_WORDS[check.result]}</strong>. ${escape(check.observed)}</li>`,
  );
  return [
    `<section id="${escape(id)}" class="${result}"><h3>${escape(id)}: ${RESULT_WORDS[result]}</h3>`,
    `<p>${escape(text)}</p>`,
    open === null ? '' : `<p><strong>The installation says:</strong> ${escape(open)}</p>`,
    `<ul>${items.join('')}</ul>`,
    tests.length === 0
      ? '<p>No test of the software attacks it yet.</p>'
      : `<details><summary>Tests of the software that attack it</summary><ul>${tests.map((test) => `<li>${escape(test)}</li>`).join('')}</ul></details>`,
    '</section>',
  ].join('');
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
