import { createHash } from 'node:crypto';

const STYLE = [
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}',
  'main{max-width:72rem;margin:auto;padding:1rem}',
  'h3{margin:2rem 0 .25rem}p{max-width:75ch;margin:.25rem 0}',
  '.open{border-inline-start:.25rem solid currentColor;padding-inline-start:.75rem}',
  '.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.875rem}',
  'th,td{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0;border-block-end:1px solid color-mix(in srgb,currentColor 25%,transparent)}',
  'caption{text-align:start;font-weight:600;padding-block:1rem .25rem}',
].join('');

/** For `style-src`. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** A page that brings its one style along and loads nothing. `body` is HTML, `title` is text. */
export function documentOf(title: string, body: string): string {
  const policy = `default-src 'none'; style-src ${STYLE_HASH}`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="content-security-policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    body,
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

export function section(id: string, title: string, content: string): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escape(title)}</h2>${content}</section>`;
}

/** A region of its own that the keyboard can scroll, where it is wider than the window. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  caption?: string,
): string {
  const head = heads.map((name) => `<th scope="col">${escape(name)}</th>`).join('');
  const cells = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${escape(first)}</th>${rest.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`,
  );
  const name = caption === undefined ? '' : `<caption>${escape(caption)}</caption>`;
  const label = escape(caption ?? heads.join(', '));
  return `<div class="scroll" role="region" tabindex="0" aria-label="${label}"><table>${name}<thead><tr>${head}</tr></thead><tbody>${cells.join('')}</tbody></table></div>`;
}

export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
