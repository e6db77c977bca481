/**
 * Whether a regular expression may take exponential time on some text: a repeated group that repeats inside
 * without a separator, or whose alternatives can start alike. Errs on the side of saying yes.
 */
export function mayBacktrackCatastrophically(pattern: string): boolean {
  return new PatternReader(pattern).isRisky();
}

/** From this many repetitions on a counted quantifier is as bad as an unbounded one. */
const MANY = 10;

interface Token {
  /** As in the pattern; empty for a group. */
  readonly source: string;
  /** The one character that it matches; null for a class, a group or anything else. */
  readonly literal: string | null;
  /** Exponential if repeated. */
  readonly risky: boolean;
  readonly quantified: boolean;
  readonly many: boolean;
}

interface Group {
  readonly tokens: Token[];
  /** What each alternative starts with; null where that is not a single character. */
  readonly starts: (string | null)[];
  atStart: boolean;
}

class PatternReader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  isRisky(): boolean {
    let group = newGroup();
    const outer: Group[] = [];
    while (this.#at < this.#pattern.length) {
      const character = this.#pattern.charAt(this.#at);
      if (character === '(') {
        outer.push(group);
        group = this.#openGroup();
      } else if (character === '|') {
        this.#at++;
        if (group.atStart) group.starts.push(null);
        group.atStart = true;
      } else {
        const parent = character === ')' ? outer.pop() : undefined;
        const matched = parent === undefined ? this.#readCharacter() : this.#closeGroup(group);
        group = parent ?? group;
        const token = { ...matched, ...this.#readQuantifier() };
        if (token.many && token.risky) return true;
        addToken(group, token);
      }
    }
    return false;
  }

  #openGroup(): Group {
    this.#at++;
    const prefix = /^\?(?:[:=!]|<[=!]|<\w*>)/.exec(this.#pattern.slice(this.#at, this.#at + 80));
    this.#at += prefix?.[0].length ?? 0;
    return newGroup();
  }

  #closeGroup(group: Group): Pick<Token, 'source' | 'literal' | 'risky'> {
    this.#at++;
    if (group.atStart) group.starts.push(null);
    const alternatives = group.starts.length;
    const alike = group.starts.includes(null) || new Set(group.starts).size < alternatives;
    const repeats = group.tokens.some(({ many, risky }) => many || risky);
    const risky =
      (alternatives > 1 && alike) || (repeats && !(alternatives === 1 && isSeparated(group.tokens)));
    return { source: '', literal: null, risky };
  }

  #readCharacter(): Pick<Token, 'source' | 'literal' | 'risky'> {
    const from = this.#at;
    const character = this.#pattern.charAt(this.#at++);
    if (character === '[') {
      while (this.#at < this.#pattern.length && this.#pattern.charAt(this.#at) !== ']') {
        this.#at += this.#pattern.charAt(this.#at) === '\\' ? 2 : 1;
      }
      this.#at++;
      return { source: this.#pattern.slice(from, this.#at), literal: null, risky: false };
    }
    if (character !== '\\') {
      return { source: character, literal: character === '.' ? null : character, risky: false };
    }
    const escaped = this.#pattern.charAt(this.#at++);
    // A back reference matches as much as its group did, so repeating it is repeating a repetition.
    const backReference = /[1-9k]/.test(escaped);
    return { source: `\\${escaped}`, literal: /\W/.test(escaped) ? escaped : null, risky: backReference };
  }

  #readQuantifier(): Pick<Token, 'quantified' | 'many'> {
    const match = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/.exec(this.#pattern.slice(this.#at, this.#at + 40));
    if (match === null) return { quantified: false, many: false };
    this.#at += match[0].length;
    const most = match[2] === undefined ? match[1] : match[3];
    return { quantified: true, many: /^[*+]/.test(match[0]) || most === '' || Number(most) >= MANY };
  }
}

function newGroup(): Group {
  return { tokens: [], starts: [], atStart: true };
}

function addToken(group: Group, token: Token): void {
  if (group.atStart) group.starts.push(token.quantified ? null : token.literal);
  group.atStart = false;
  group.tokens.push(token);
}

/**
 * Groups such as `-[a-z]+` or `\d+,`: one repeating part that cannot match the literal beside it, so that every
 * text splits into repetitions in one way only.
 */
function isSeparated(tokens: readonly Token[]): boolean {
  const [repeated, ...more] = tokens.filter(({ quantified }) => quantified);
  const fixed = tokens.filter(({ quantified }) => !quantified).map(({ literal }) => literal);
  if (repeated === undefined || more.length > 0 || repeated.source === '' || fixed.includes(null))
    return false;
  return fixed.some((literal) => literal !== null && !matches(repeated.source, literal));
}

function matches(source: string, character: string): boolean {
  try {
    return new RegExp(`^${source}$`, 'u').test(character);
  } catch {
    return true;
  }
}
