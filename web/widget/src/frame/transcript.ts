import { h } from '../dom.ts';
import { ASKING } from './composer.ts';
import { render } from './markdown.ts';
import { button } from './parts.ts';
import { settings, texts } from './settings.ts';

export interface Transcript {
  readonly element: HTMLElement;
  addQuestion(text: string): void;
  /** Announced once, as it stands; what the returned function appends to it is not. */
  addAnswer(...content: readonly Node[]): (actions: HTMLElement) => void;
  /** What came of the answer, why there is no more, and a button that asks again. */
  addFailure(failure: { readonly text: string; readonly answer: string; readonly reason: string }): void;
  stream(onStop: () => void): Stream;
  /** Below the transcript; it takes the place of the one before. */
  showForm(form: HTMLElement | undefined): void;
  clear(): void;
}

export interface Stream {
  show(answer: string): void;
  /** False: the transcript was cleared since. */
  end(): boolean;
}

/** Pixels above the end at which a reader counts as being there. */
const NEAR = 120;

/**
 * What was said, oldest first. Finished messages are in the live region; the answer that is still coming stands outside
 * of it, or screen readers would begin anew with every word.
 */
export function createTranscript(): Transcript {
  const list = h('ol');
  const pending = h('div');
  const below = h('div');
  const status = h('p', { role: 'status', class: 'unseen' });
  const element = h(
    'div',
    { class: 'transcript', role: 'region', 'aria-label': settings.title, tabindex: '0' },
    h('div', { role: 'log', 'aria-live': 'polite', 'aria-label': settings.title }, list),
    pending,
    below,
    status,
  );

  const follow = (change: () => void): void => {
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    change();
    if (isAtEnd) element.scrollTop = element.scrollHeight;
  };
  const add = (who: 'visitor' | 'assistant', ...content: readonly Node[]): HTMLElement => {
    const item = message('li', who, ...content);
    follow(() => list.append(item));
    return item;
  };

  let current: Stream | undefined;
  return {
    element,
    addQuestion(text) {
      list.querySelector('.suggestions')?.remove();
      add('visitor', document.createTextNode(text));
      element.scrollTop = element.scrollHeight;
    },
    addAnswer(...content) {
      const item = add('assistant', ...content);
      return (actions) => setTimeout(() => follow(() => item.append(actions)));
    },
    addFailure({ text, answer, reason }) {
      const again = h('button', { ...ASKING, name: 'retry', value: text }, texts.retry);
      const item = add('assistant', render(answer), h('p', { class: 'fault' }, reason), again);
      again.addEventListener('click', () => setTimeout(() => item.remove()));
    },
    stream(onStop) {
      const body = h('div', { class: 'body', dir: 'auto' }, h('span', { class: 'dots' }, '•••'));
      const stop = button(texts.stop, onStop, { class: 'link' });
      status.textContent = `${settings.title} …`;
      follow(() => pending.replaceChildren(h('div', { class: 'message assistant' }, body, stop)));
      const stream: Stream = {
        show: (answer) => follow(() => body.replaceChildren(render(answer))),
        end() {
          if (current !== stream) return false;
          pending.replaceChildren();
          status.textContent = '';
          return true;
        },
      };
      return (current = stream);
    },
    showForm: (form) => follow(() => below.replaceChildren(...(form === undefined ? [] : [form]))),
    clear() {
      current = undefined;
      status.textContent = '';
      pending.replaceChildren();
      below.replaceChildren();
      list.replaceChildren(greeting());
    },
  };
}

function message(tag: 'li' | 'div', who: 'visitor' | 'assistant', ...content: readonly Node[]): HTMLElement {
  const speaker = who === 'visitor' ? texts.you : settings.title;
  const body = h('div', { class: 'body', dir: 'auto' }, ...content);
  return h(tag, { class: `message ${who}` }, h('span', { class: 'unseen' }, `${speaker}: `), body);
}

function greeting(): HTMLElement {
  const suggestions = settings.suggestions.map((text) =>
    h('button', { ...ASKING, value: text, dir: 'auto' }, text),
  );
  const item = message('li', 'assistant', h('p', {}, settings.greeting));
  if (suggestions.length > 0) item.append(h('div', { class: 'suggestions' }, ...suggestions));
  return item;
}
