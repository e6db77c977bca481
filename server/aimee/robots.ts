/** What a site's robots.txt says (RFC 9309) to the crawler of this name, or to all. */
export type Robots = (path: string) => boolean;

const AGENT = 'aimee';

interface Rule {
  readonly isAllowed: boolean;
  readonly pattern: string;
}

interface Group {
  readonly agents: string[];
  readonly rules: Rule[];
}

/** Whether a path, with its query, may be read. What cannot be understood asks for nothing. */
export function parseRobots(text: string): Robots {
  const groups = groupsOf(text);
  const own = groups.filter(({ agents }) => agents.includes(AGENT));
  const meant = own.length > 0 ? own : groups.filter(({ agents }) => agents.includes('*'));
  // The longest pattern counts; of two alike the one that allows.
  const rules = meant
    .flatMap(({ rules: all }) => all)
    .toSorted((a, b) => b.pattern.length - a.pattern.length || Number(b.isAllowed) - Number(a.isAllowed));
  return (path) => rules.find(({ pattern }) => fits(pattern, path))?.isAllowed ?? true;
}

function groupsOf(text: string): Group[] {
  const groups: Group[] = [];
  let current: Group | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, field = '', value = ''] = /^\s*([a-z-]+)\s*:\s*([^#]*)/i.exec(line) ?? [];
    const name = field.toLowerCase();
    if (name === 'user-agent') {
      if (current === undefined || current.rules.length > 0)
        groups.push((current = { agents: [], rules: [] }));
      current.agents.push(value.trim().toLowerCase());
    } else if ((name === 'allow' || name === 'disallow') && value.trim() !== '') {
      current?.rules.push({ isAllowed: name === 'allow', pattern: value.trim() });
    }
  }
  return groups;
}

/** `*` is anything, `$` at the end the end; piece by piece, so that no pattern takes long. */
function fits(pattern: string, path: string): boolean {
  const isWhole = pattern.endsWith('$');
  const pieces = (isWhole ? pattern.slice(0, -1) : pattern).split('*');
  const [first = '', ...rest] = pieces;
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const [index, piece] of rest.entries()) {
    const isLast = index === rest.length - 1;
    if (isLast && isWhole) return path.length - piece.length >= at && path.endsWith(piece);
    const found = path.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return !isWhole || at === path.length;
}
