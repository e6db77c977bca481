import { h } from '../dom.ts';
import type { Conversation } from './chat.ts';
import { createHandOver } from './hand-over.ts';
import { render } from './markdown.ts';
import { button, iconButton, linkButton } from './parts.ts';
import { type Done, rate } from './server.ts';
import { texts } from './settings.ts';
import type { Transcript } from './transcript.ts';

const COPY = 'M9 9h11v11H9ZM5 15H4V4h11v1';
const UP = 'M7 11v9H4v-9ZM7 11l4-8a2 2 0 0 1 3 2l-1 4h6a2 2 0 0 1 2 2l-2 7a2 2 0 0 1-2 2H7';
const DOWN = 'M7 13V4H4v9ZM7 13l4 8a2 2 0 0 0 3-2l-1-4h6a2 2 0 0 0 2-2l-2-7a2 2 0 0 0-2-2H7';

interface Answer {
  readonly answer: string;
  readonly done: Done;
  readonly transcript: Transcript;
  readonly conversation: Conversation;
}

/** A finished answer with where it comes from, and what can be done with it. */
export function showAnswer({ answer, done, transcript, conversation }: Answer): void {
  const content: Node[] = [render(answer)];
  if (done.answered === false) content.push(h('p', { class: 'note' }, texts.unknown));
  const sources = Array.isArray(done.sources) ? done.sources : [];
  if (sources.length > 0) {
    const items = sources.map(({ title, url }) => h('li', {}, linkButton(String(title), String(url))));
    content.push(h('div', { class: 'note' }, texts.sources, h('ul', { class: 'sources' }, ...items)));
  }
  const append = transcript.addAnswer(...content);
  const actions = h('div', { class: 'actions', role: 'group', 'aria-live': 'off' });
  const copied = iconButton(COPY, texts.copy, {
    action() {
      copy(actions, answer);
      copied.setAttribute('aria-pressed', 'true');
    },
  });
  actions.append(copied, ...thumbs(done, conversation));
  const { handOver } = done;
  if (handOver?.kind === 'link') actions.append(linkButton(String(handOver.label), String(handOver.url)));
  if (handOver?.kind === 'email')
    actions.append(
      button(texts.person, () => transcript.showForm(createHandOver(transcript, conversation)), {
        class: 'link',
      }),
    );
  append(actions);
}

/** Pressing again takes it back. What the server refused is not shown as given. */
function thumbs(done: Done, { ticket = '' }: Conversation): HTMLElement[] {
  let rating: 'up' | 'down' | 'none' = 'none';
  const show = (next: typeof rating): void => {
    rating = next;
    up.setAttribute('aria-pressed', String(rating === 'up'));
    down.setAttribute('aria-pressed', String(rating === 'down'));
  };
  const press = async (pressed: 'up' | 'down'): Promise<void> => {
    const before = rating;
    show(before === pressed ? 'none' : pressed);
    await rate({ ticket, message: done.message, rating }).catch(() => show(before));
  };
  const up = iconButton(UP, texts.helpful, { action: () => void press('up') });
  const down = iconButton(DOWN, texts.unhelpful, { action: () => void press('down') });
  show('none');
  return [up, down];
}

/** By the old command: the newer way needs a permission that the page would have to hand to the frame. */
function copy(near: HTMLElement, text: string): void {
  document.addEventListener(
    'copy',
    (event) => {
      event.clipboardData?.setData('text/plain', text);
      event.preventDefault();
    },
    { once: true },
  );
  // Some browsers copy nothing where nothing is selected.
  const selection = getSelection();
  selection?.selectAllChildren(near);
  document.execCommand('copy');
  selection?.removeAllRanges();
}
