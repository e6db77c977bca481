import { createLauncher } from './launcher.ts';
import { readSettings } from './settings.ts';

/**
 * The tag's script. It runs in a page that is not ours: it adds one element, reads nothing of the page but its own tag
 * and the page's language, and sends nothing. What is said stays in the frame, whose origin is opaque to the page.
 */
const tag = document.currentScript;
if (tag instanceof HTMLScriptElement) {
  const settings = readSettings(tag);
  const add = (): void => {
    // The second of two tags for the same corner is one too many.
    if (document.querySelector(`aimee-chat.${settings.position}`) === null) createLauncher(settings);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', add, { once: true });
  else add();
}
