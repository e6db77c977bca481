/** Brackets with numbers, and the space before them. */
const MARK = /\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;
/** What may still become one: held back until it is clear. */
const BEGINNING = /\s*\[[\d\s,]{0,40}$|\s+$/;

/**
 * A model's text on its way to the visitor: marks of passages are taken out and remembered, whatever pieces the text
 * comes in.
 */
export class CitedText {
  readonly cited = new Set<number>();
  readonly #onText: (text: string) => void;
  #held = '';
  #said = '';

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  /** All that was passed on. */
  get said(): string {
    return this.#said;
  }

  push(piece: string): void {
    const text = this.#held + piece;
    const from = BEGINNING.exec(text)?.index ?? text.length;
    this.#held = text.slice(from);
    this.#pass(text.slice(0, from));
  }

  end(): void {
    const rest = this.#held.trimEnd();
    this.#held = '';
    this.#pass(rest);
  }

  #pass(text: string): void {
    const clean = text.replaceAll(MARK, (_mark, list: string) => {
      for (const number of list.split(',')) this.cited.add(Number(number));
      return '';
    });
    if (clean === '') return;
    this.#said += clean;
    this.#onText(clean);
  }
}
