import { h } from '../dom.ts';
import { showAnswer } from './answer.ts';
import { createComposer } from './composer.ts';
import { iconButton, linkButton } from './parts.ts';
import { type Done, Failure, ask } from './server.ts';
import { settings, texts } from './settings.ts';
import { type Transcript, createTranscript } from './transcript.ts';

const CLOSE = 'M6 6l12 12M18 6L6 18';
const RESTART = 'M12 20h9M16.5 3.5a2.1 2.1 0 0 1 3 3L7 19l-4 1 1-4Z';
/** What the server takes of an earlier turn. */
const TURN_LENGTH_MAX = 16_000;

export interface Turn {
  readonly role: 'visitor' | 'assistant';
  readonly text: string;
}

/** A conversation, and all that is known of it: it ends with this object. */
export interface Conversation {
  readonly turns: Turn[];
  ticket: string | undefined;
}

/** The whole chat. Shown by whoever owns the dialog. */
export function createChat(): HTMLDialogElement {
  const transcript = createTranscript();
  const footer = h('footer');
  let conversation: Conversation;
  let running: AbortController | undefined;

  const composer = createComposer(async (text, isRetry) => {
    if (!isRetry) transcript.addQuestion(text);
    const { signal } = (running = new AbortController());
    composer.setBusy(true);
    const done = await converse({ text, transcript, conversation, signal, stop: () => running?.abort() });
    // After a new conversation began, what the old one still brought is nobody's.
    if (running?.signal !== signal) return;
    running = undefined;
    composer.setBusy(false);
    if (done !== undefined) name(done.reference);
  });

  const name = (reference: string): void => {
    const shown = h('span', {}, `${texts.reference} `, h('b', { dir: 'ltr' }, reference));
    footer.replaceChildren(
      ...(settings.privacyUrl === '' ? [] : [linkButton(texts.privacy, settings.privacyUrl)]),
      ...(reference === '' ? [] : [shown]),
    );
  };
  const restart = (): void => {
    const old = running;
    running = undefined;
    old?.abort();
    conversation = { turns: [], ticket: undefined };
    composer.setBusy(false);
    transcript.clear();
    name('');
  };
  restart();

  const dialog = h('dialog', {
    'aria-labelledby': 'title',
    'aria-describedby': 'notice',
    closedby: 'closerequest',
  });
  dialog.append(
    h(
      'header',
      {},
      h(
        'div',
        {},
        h('h1', { id: 'title', dir: 'auto' }, settings.title),
        h('p', { id: 'notice' }, texts.notice),
      ),
      iconButton(RESTART, texts.restart, {
        action() {
          restart();
          composer.focus();
        },
      }),
      iconButton(CLOSE, texts.close, { action: () => dialog.close() }),
    ),
    transcript.element,
    composer.element,
    footer,
  );
  return dialog;
}

interface Exchange {
  readonly text: string;
  readonly transcript: Transcript;
  readonly conversation: Conversation;
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

/** One question and its answer, as they become visible. Nothing that failed is asked again by itself. */
async function converse({
  text,
  transcript,
  conversation,
  signal,
  stop,
}: Exchange): Promise<Done | undefined> {
  const stream = transcript.stream(stop);
  const { turns } = conversation;
  let answer = '';
  try {
    const done = await ask(
      { text, turns: turns.slice(-TURNS_MAX), ticket: conversation.ticket, language: settings.language },
      (piece) => stream.show((answer = (answer + piece).slice(0, TURN_LENGTH_MAX))),
      signal,
    );
    if (!stream.end()) return undefined;
    conversation.ticket = done.ticket;
    turns.push({ role: 'visitor', text }, { role: 'assistant', text: answer });
    showAnswer({ answer, done, transcript, conversation });
    return done;
  } catch (thrown) {
    if (stream.end())
      transcript.addFailure({
        text,
        answer,
        reason: signal.aborted ? texts.cut : thrown instanceof Failure ? thrown.message : texts.failed,
      });
    return undefined;
  }
}
