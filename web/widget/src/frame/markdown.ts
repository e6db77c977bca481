import { h } from '../dom.ts';

/**
 * What a model wrote is hostile. A few signs become elements, everything else stays text: no HTML, no image, no link
 * that can be pressed; of links the address is shown.
 */
export function render(markdown: string): DocumentFragment {
  const fragment = new DocumentFragment();
  const lines = markdown.split(/\r?\n/);
  let paragraph: HTMLElement | undefined;
  let list: HTMLElement | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const fence = /^\s{0,9}(```+|~~~+)/.exec(line)?.[1];
    const item = /^(\s{0,20})(?:[-*+]|(\d{1,9})[.)])\s+(\S.*)$/.exec(line);
    const heading = /^#{1,6}\s+(\S.*)$/.exec(line)?.[1];
    if (fence !== undefined) {
      const end = lines.findIndex((other, index) => index > at && other.trim().startsWith(fence));
      const last = end < 0 ? lines.length : end;
      fragment.append(h('pre', { tabindex: '0' }, h('code', {}, lines.slice(at + 1, last).join('\n'))));
      at = last;
      paragraph = list = undefined;
    } else if (item !== null) {
      list = listFor(list, item, fragment);
      list.append(inline(h('li'), item[3] ?? ''));
      paragraph = undefined;
    } else if (heading !== undefined) {
      fragment.append(h('p', {}, inline(h('strong'), heading)));
      paragraph = list = undefined;
    } else if (line.trim() === '') {
      paragraph = undefined;
    } else {
      if (paragraph === undefined) fragment.append((paragraph = h('p')));
      else paragraph.append('\n');
      inline(paragraph, line.replace(/^\s{0,3}>\s?/, ''));
      list = undefined;
    }
  }
  return fragment;
}

/** The list that goes on, or a new one: of another kind, or another depth, of which there are two. */
function listFor(
  list: HTMLElement | undefined,
  [, indent = '', number]: RegExpExecArray,
  fragment: DocumentFragment,
): HTMLElement {
  const kind = number === undefined ? 'ul' : 'ol';
  const depth = indent.length > 1 ? 'deep' : '';
  if (list?.localName === kind && list.className === depth) return list;
  const next = h(kind, { class: depth, ...(number !== undefined && { start: number }) });
  fragment.append(next);
  return next;
}

// Bounded repeats: the time that a line takes grows with its length only.
const SIGNS =
  /\\([!-/:-@[-`{-~])|`([^`]{1,999})`|\*\*(\S.{0,999}?)\*\*|\*([^\s*][^*]{0,999})\*|(?<!\w)_([^\s_][^_]{0,999})_(?!\w)|(!?)\[([^\]]{0,300})\]\(([^)\s]{0,999})[^)]{0,200}\)/g;

function inline(parent: HTMLElement, text: string): HTMLElement {
  let from = 0;
  for (const match of text.matchAll(SIGNS)) {
    parent.append(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [, literal, code, bold, italic, slanted, image, label, address] = match;
    if (literal !== undefined) parent.append(literal);
    else if (code !== undefined) parent.append(h('code', {}, code));
    else if (bold !== undefined) parent.append(inline(h('strong'), bold));
    else if (label !== undefined) parent.append(image === '!' || !address ? label : `${label} (${address})`);
    else parent.append(inline(h('em'), italic ?? slanted ?? ''));
  }
  parent.append(text.slice(from));
  return parent;
}
