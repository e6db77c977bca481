import { h, icon } from '../dom.ts';

/** Visitors press; scripts do not. */
export function onPress(element: HTMLElement, action: () => void): void {
  element.addEventListener('click', (event) => {
    if (event.isTrusted) action();
  });
}

export function button(
  label: string,
  action: () => void,
  attributes: Record<string, string> = {},
): HTMLElement {
  const element = h('button', { type: 'button', ...attributes }, label);
  onPress(element, action);
  return element;
}

export function iconButton(
  path: string,
  label: string,
  { action, ...attributes }: { readonly action?: () => void } & Record<string, unknown> = {},
): HTMLElement {
  const element = h('button', {
    type: 'button',
    class: 'icon',
    'aria-label': label,
    title: label,
    ...(attributes as Record<string, string>),
  });
  element.append(icon(path));
  if (action !== undefined) onPress(element, action);
  return element;
}

/** A page that opens when pressed, and not before: an anchor would let browsers look up its host. */
export function linkButton(label: string, url: string): Node {
  if (!/^https?:\/\//.test(url)) return document.createTextNode(label);
  return button(`${label} ↗`, () => void open(url, '_blank', 'noopener,noreferrer'), {
    class: 'link',
    title: url,
  });
}

/** Nothing of what is typed is remembered, corrected or looked up elsewhere. */
export const UNOBSERVED = {
  autocomplete: 'off',
  autocorrect: 'off',
  spellcheck: 'false',
} as const;
