import { inkOn } from './ink.ts';
import { type Texts, directionOf, textsFor } from './texts.ts';

/** What the frame is told, as JSON in an attribute of its document. */
export interface FrameSettings {
  readonly site: string;
  /** Origin of the page, for browsers that do not tell the frame. */
  readonly page: string;
  /** Where messages go, with the slash at its end. */
  readonly api: string;
  readonly language: string;
  readonly title: string;
  readonly greeting: string;
  readonly suggestions: readonly string[];
  readonly privacyUrl: string;
  readonly theme: 'auto' | 'light' | 'dark';
  /** `#rrggbb`, and black or white on it: whichever is at least 4.5:1. */
  readonly accent: string;
  readonly ink: string;
  readonly texts: Texts;
}

export interface Settings {
  readonly frame: FrameSettings;
  readonly direction: 'ltr' | 'rtl';
  readonly position: 'left' | 'right';
  readonly isOpen: boolean;
  /** Of the page's policy, for the frame's script; empty if the page has none. */
  readonly nonce: string;
}

const ACCENT = '#3b5bdb';
const SUGGESTIONS_MAX = 6;
/** Nothing goes out in the clear, but to the machine itself; and no sign that a policy could stumble over. */
const ORIGIN = /^(https:\/\/[\w.-]+|http:\/\/(localhost|127\.0\.0\.1|\[::1\]))(:\d+)?$/;

/** The attributes of the tag. Throws, for the console of whoever embeds it, where there is nothing to go on with. */
export function readSettings(tag: HTMLScriptElement): Settings {
  const { dataset, nonce } = tag;
  const site = dataset.site ?? '';
  if (!/^site_[0-9A-Za-z]{20}$/.test(site)) throw new Error('AI.Mee: data-site is not the key of a site');
  const [language, texts] = textsFor(dataset.language || document.documentElement.lang);
  const accent = /^#[0-9a-f]{6}$/i.test(dataset.accent ?? '') ? (dataset.accent ?? ACCENT) : ACCENT;
  return {
    frame: {
      site,
      page: location.origin,
      api: apiOf(dataset.endpoint || tag.src),
      language,
      title: (dataset.title || texts.title).slice(0, 60),
      greeting: (dataset.greeting || texts.greeting).slice(0, 300),
      suggestions: suggestionsOf(dataset.suggestions),
      privacyUrl: webUrlOf(dataset.privacyUrl),
      theme: dataset.theme === 'light' || dataset.theme === 'dark' ? dataset.theme : 'auto',
      accent,
      ink: inkOn(accent),
      texts,
    },
    direction: directionOf(language),
    position: dataset.position === 'left' ? 'left' : 'right',
    isOpen: dataset.open !== undefined && dataset.open !== 'false',
    nonce,
  };
}

function apiOf(address: string): string {
  const { origin } = new URL(address);
  if (!ORIGIN.test(origin)) throw new Error('AI.Mee: data-endpoint has to be https');
  return `${origin}/aimee/v1/`;
}

function webUrlOf(address: string | undefined): string {
  if (!address || !URL.canParse(address, document.baseURI)) return '';
  const { protocol, href } = new URL(address, document.baseURI);
  return /^https?:$/.test(protocol) ? href : '';
}

function suggestionsOf(json: string | undefined): string[] {
  try {
    const value: unknown = JSON.parse(json || '[]');
    return (Array.isArray(value) ? value : [])
      .filter((item): item is string => typeof item === 'string' && item.trim() !== '')
      .slice(0, SUGGESTIONS_MAX)
      .map((item) => item.slice(0, 120));
  } catch {
    return [];
  }
}
