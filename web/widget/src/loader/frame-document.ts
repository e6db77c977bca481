import type { Settings } from './settings.ts';

/**
 * The document of the frame. Its own policy comes on top of the page's, which frames of this kind inherit: one script,
 * known by its hash; connections to the one path that takes messages; nothing else.
 */
export function documentOf({ frame, direction, nonce }: Settings): string {
  const policy = [
    "default-src 'none'",
    `script-src '${FRAME_SCRIPT_HASH}'`,
    `connect-src ${frame.api}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join(';');
  const html =
    `<!doctype html><html lang="${frame.language}" dir="${direction}" data-settings="${escape(JSON.stringify(frame))}">` +
    `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">` +
    `<title>${escape(frame.title)}</title><body><script nonce="${escape(nonce)}">` +
    FRAME_SCRIPT +
    '</script>';
  return trusted(html);
}

/** For pages that require trusted types: they allow the policy `aimee`. */
function trusted(html: string): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  return trustedTypes?.createPolicy('aimee', { createHTML: (text) => text }).createHTML(html) ?? html;
}

/** What newer browsers have and the types do not yet; they take its result where a text goes. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createHTML(text: string): string },
  ): { createHTML(text: string): string };
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
