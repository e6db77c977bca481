/** The three sections of one dated release of a CHANGELOG.md, as Markdown; absent sections are empty. */
export interface Changelog {
  /** As written, `MM/DD/YY`. */
  readonly date: string;
  readonly added: string;
  readonly updated: string;
  readonly removed: string;
}
