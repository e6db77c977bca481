/** A GBNF expression without rules of its own as a regular expression: spaces and quotes are its only difference. */
export function expressionOf(gbnf: string): RegExp {
  let source = '';
  for (const [token] of gbnf.matchAll(
    /"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\bchar\b|\bnumber\b|\binteger\b|\{[^}]*\}|\S/g,
  )) {
    if (token.startsWith('"')) source += `(?:${escaped(JSON.parse(token) as string)})`;
    else source += RULES[token] ?? token;
  }
  return new RegExp(`^(?:${source})$`, 'u');
}

const RULES: Partial<Record<string, string>> = {
  char: String.raw`[^"\\\x00-\x1F]`,
  integer: '(?:-?(?:0|[1-9][0-9]{0,14}))',
  number: String.raw`(?:-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,8})?)`,
};

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
