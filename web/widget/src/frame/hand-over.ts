import { h } from '../dom.ts';
import type { Conversation } from './chat.ts';
import { UNOBSERVED, button } from './parts.ts';
import { Failure, handOver } from './server.ts';
import { texts } from './settings.ts';
import type { Transcript } from './transcript.ts';

/** Asks for an answer by e-mail. The conversation goes along only where the visitor says so. */
export function createHandOver(transcript: Transcript, { ticket = '', turns }: Conversation): HTMLElement {
  const email = h('input', { ...UNOBSERVED, type: 'email', required: '', maxlength: '254', dir: 'ltr' });
  const consent = h('input', { type: 'checkbox' });
  const fault = h('p', { role: 'alert', class: 'fault' });
  const send = h('button', { class: 'primary' }, texts.send);
  const form = h(
    'form',
    { class: 'hand-over', autocomplete: 'off', 'aria-label': texts.person },
    h('label', {}, texts.email, email),
    h('label', { class: 'row' }, consent, texts.consent),
    fault,
    h(
      'div',
      { class: 'row' },
      send,
      button(texts.close, () => transcript.showForm(undefined), { class: 'link' }),
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!event.isTrusted || send.disabled) return;
    send.disabled = true;
    fault.textContent = '';
    handOver({
      ticket,
      email: email.value,
      text: '',
      turns: consent.checked ? turns.slice(-TURNS_MAX) : [],
    }).then(
      () => {
        transcript.showForm(undefined);
        transcript.addAnswer(h('p', {}, texts.sent));
      },
      (thrown: unknown) => {
        send.disabled = false;
        fault.textContent = thrown instanceof Failure ? thrown.message : texts.failed;
      },
    );
  });
  setTimeout(() => email.focus());
  return form;
}
