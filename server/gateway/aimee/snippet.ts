import type { AimeeSnippet } from '../../../contract/index.ts';
import type { Site } from '../../aimee/sites.ts';
import type { WidgetFile } from './widget-files.ts';

/** What a customer pastes into his pages. Everything of the look stands in it, so that nothing is fetched for it. */
export function snippetOf(site: Site, { file, integrity }: WidgetFile, publicUrl: string): AimeeSnippet {
  const fileUrl = `${publicUrl}/widget/${file}`;
  const { title, greeting, accent, theme, position, privacyUrl } = site.look;
  const attributes: [name: string, value: string][] = [
    ['src', fileUrl],
    ['integrity', integrity],
    ['crossorigin', 'anonymous'],
    ['data-site', site.id],
    // Also for those who serve the file themselves.
    ['data-endpoint', publicUrl],
    ['data-title', title === '' ? site.name : title],
    ['data-greeting', greeting],
    ['data-accent', accent],
    ['data-theme', theme],
    ['data-position', position],
    ['data-language', site.language ?? ''],
    ['data-privacy-url', privacyUrl],
    ['data-suggestions', site.suggestions.length === 0 ? '' : JSON.stringify(site.suggestions)],
  ];
  const written = attributes
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `\n  ${name}="${escape(value)}"`);
  return {
    html: `<script${written.join('')}\n  async\n></script>`,
    policy: policyOf(site, publicUrl),
    fileUrl,
  };
}

function policyOf({ retentionDays, handOver }: Site, publicUrl: string): string {
  const kept =
    retentionDays === null
      ? 'until we delete them'
      : `for ${retentionDays} ${retentionDays === 1 ? 'day' : 'days'}`;
  const sentences = [
    `Our chat assistant is an artificial intelligence. It is provided with AI.Mee at ${escape(new URL(publicUrl).host)}.`,
    'It sets no cookies, stores nothing in your browser and sends nothing before you press Send: neither what you type nor that you have opened it.',
    `With Send, your message, the earlier messages of this conversation and the address of this website go there, encrypted. Your IP address is noted with the time that the answer took, without what you wrote. Question and answer are kept encrypted ${kept}; only we can open them, not the provider of the chat.`,
    ...(handOver.kind === 'email'
      ? ['If you ask for an answer by e-mail, your address and what you write with it are sent to us.']
      : []),
    'Each conversation shows a reference. Send it to us to see what is kept of it or to have it deleted at once.',
  ];
  return `<h2>Chat assistant</h2>\n${sentences.map((sentence) => `<p>${sentence}</p>`).join('\n')}\n`;
}

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => SIGNS[sign] ?? '');
}
