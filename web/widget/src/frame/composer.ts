import { h } from '../dom.ts';
import { UNOBSERVED, iconButton } from './parts.ts';
import { texts } from './settings.ts';

const SEND = 'M12 20V5M5 12l7-7 7 7';

export interface Composer {
  readonly element: HTMLFormElement;
  /** While an answer comes, the next question can be written, not sent. */
  setBusy(isBusy: boolean): void;
  focus(): void;
}

/** Of every button that asks: a suggestion and a retry carry their question, and go the way of the one form. */
export const ASKING = { type: 'submit', form: 'ask' } as const;

/**
 * The form that every question goes through, by a press of the visitor. Drafts are looked at once, when it is submitted:
 * there is no listener for typing but the one that knows Enter.
 */
export function createComposer(onAsk: (text: string, isRetry: boolean) => Promise<void>): Composer {
  const input = h('textarea', {
    ...UNOBSERVED,
    rows: '1',
    placeholder: texts.question,
    'aria-label': texts.question,
    'aria-describedby': 'fault',
    enterkeyhint: 'send',
    dir: 'auto',
  });
  const fault = h('p', { id: 'fault', role: 'alert', class: 'fault' });
  const send = iconButton(SEND, texts.send, { type: 'submit', class: 'icon send' });
  const form = h('form', { id: 'ask', autocomplete: 'off' }, h('div', { class: 'box' }, input, send), fault);
  const isBusy = (): boolean => send.getAttribute('aria-disabled') === 'true';

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!event.isTrusted || isBusy()) return;
    const { value: given, name } = event.submitter as HTMLButtonElement;
    const text = (given || input.value).trim();
    fault.textContent = text.length > TEXT_LENGTH_MAX ? texts.tooLong : '';
    input.focus();
    if (text === '' || text.length > TEXT_LENGTH_MAX) return;
    if (given === '') input.value = '';
    void onAsk(text, name === 'retry');
  });
  input.addEventListener('keydown', (event) => {
    // 229: Enter that ends a composition, as Safari tells it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (event.isTrusted) form.requestSubmit(send as HTMLButtonElement);
  });

  return {
    element: form,
    setBusy: (busy) => send.setAttribute('aria-disabled', String(busy)),
    focus: () => input.focus(),
  };
}
