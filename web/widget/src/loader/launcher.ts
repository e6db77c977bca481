import { h, icon } from '../dom.ts';
import styles from './launcher.css?inline';
import { documentOf } from './frame-document.ts';
import type { Settings } from './settings.ts';

const CHAT = 'M21 12a8 8 0 0 1-8 8H4l1.6-3A8 8 0 1 1 21 12ZM9 12h.01M13 12h.01M17 12h.01';
const CLOSE = 'M6 9l6 6 6-6';

/**
 * The button in the corner and, from the first click on, the frame. Between the two runs one message port: `true` opens
 * and `false` closes; back come one `true` when it is ready, and `false` when it has closed. Nothing of what is said in it
 * passes there.
 */
export function createLauncher(settings: Settings): void {
  const { frame, direction, position } = settings;
  const button = h('button', {
    type: 'button',
    class: 'launcher',
    'aria-label': frame.title,
    'aria-haspopup': 'dialog',
    'aria-expanded': 'false',
  });
  button.append(icon(CHAT), icon(CLOSE));

  button.style.setProperty('--accent', frame.accent);
  button.style.setProperty('--ink', frame.ink);

  const host = h('aimee-chat', { class: position, lang: frame.language, dir: direction });
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [sheet];
  root.append(button);
  document.body.append(host);

  let panel: Panel | undefined;
  let isReady = false;
  const show = (isOpen: boolean): void => {
    button.setAttribute('aria-expanded', String(isOpen));
    panel?.element.classList.toggle('open', isOpen);
  };
  const present = (): void => {
    show(true);
    panel?.element.focus();
    panel?.port.postMessage(true);
  };
  /** Opened by the page, not by the visitor: the focus stays where it is. */
  const create = (isQuiet: boolean): void => {
    panel = createPanel(settings, {
      onReady() {
        isReady = true;
        if (isQuiet) show(true);
        else present();
      },
      onClose() {
        show(false);
        button.focus();
      },
      onLoss() {
        show(false);
        isReady = false;
        panel = undefined;
      },
    });
    root.append(panel.element);
  };
  button.addEventListener('click', () => {
    if (panel === undefined) create(false);
    else if (button.ariaExpanded === 'true') panel.port.postMessage(false);
    else if (isReady) present();
  });
  if (settings.isOpen) create(true);
}

interface Panel {
  readonly element: HTMLIFrameElement;
  readonly port: MessagePort;
}

interface PanelOptions {
  /** There is something to show: a frame that a policy forbids never gets there. */
  readonly onReady: () => void;
  readonly onClose: () => void;
  /** Somebody put another document into the frame; it is gone. */
  readonly onLoss: () => void;
}

function createPanel(settings: Settings, { onReady, onClose, onLoss }: PanelOptions): Panel {
  const element = h('iframe', {
    title: settings.frame.title,
    // No same origin: no cookie, no storage, and no way from the page to the conversation. Pop-ups are the links
    // that a visitor presses.
    sandbox: 'allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox',
    allow: '',
    // No referrer policy here: one would hide from the frame which page it is in. Its document has its own.
  });
  element.srcdoc = documentOf(settings);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => (data === true ? onReady() : onClose());
  element.addEventListener(
    'load',
    () => {
      element.contentWindow?.postMessage(0, '*', [port2]);
      element.addEventListener('load', () => {
        element.remove();
        onLoss();
      });
    },
    { once: true },
  );
  return { element, port: port1 };
}
