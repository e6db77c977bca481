import { createChat } from './chat.ts';
import { settings } from './settings.ts';
import styles from './frame.css?inline';

/**
 * The frame. Its one way out is the port that the launcher hands over once, and what it says there is `true` and `false`.
 * Everything that was typed, sent or answered is in this memory alone and ends with the page.
 */
// A page that left the sandbox away could read along.
if (origin !== 'null') throw new Error('AI.Mee: this frame needs its sandbox');
const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
document.adoptedStyleSheets = [sheet];
const { style } = document.documentElement;
style.setProperty('--accent', settings.accent);
style.setProperty('--ink', settings.ink);
if (settings.theme !== 'auto') style.setProperty('color-scheme', settings.theme);

const dialog = createChat();
// Not yet modal: what the page opens takes no focus.
dialog.setAttribute('open', '');
document.body.append(dialog);

addEventListener('message', function receive({ source, ports: [port] }) {
  if (source !== parent || port === undefined) return;
  removeEventListener('message', receive);
  // Escape, the back gesture of phones and the button all end here.
  dialog.addEventListener('close', () => port.postMessage(false));
  port.onmessage = ({ data }) => {
    if (data !== true) return dialog.close();
    dialog.removeAttribute('open');
    dialog.showModal();
    dialog.querySelector('textarea')?.focus();
  };
  port.postMessage(true);
});
