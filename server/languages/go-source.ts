import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { BuildFailure } from './language.ts';

export const FRAMEWORK_MODULE = 'github.com/GoogleCloudPlatform/functions-framework-go';

/** Where the generated main package lies in the function's module; `go` ignores names with a leading dot. */
export const MAIN_DIRECTORY = '.jellyfaas';

/** The uploaded tree with the generated main package: its own path cannot come from the upload. */
export function withMain(source: SourceTree, template: string): SourceTree {
  const kept = [...source].filter(([path]) => !path.startsWith(`${MAIN_DIRECTORY}/`));
  const main = template.replace('{{module}}', modulePath(manifest(source)));
  return new Map([...kept, [`${MAIN_DIRECTORY}/main.go`, textFile(main)]]);
}

/**
 * What decides on the dependencies, and nothing else: `go.mod`, `go.sum`, and of each Go file its head up to the
 * last import. It is all that the step with network gets to see, and a change of code below the imports finds the
 * dependencies of the last build.
 */
export function dependencySkeleton(source: SourceTree): SourceTree {
  const skeleton = new Map();
  for (const [path, file] of source) {
    if (path === 'go.mod' || path === 'go.sum' || isLocalModuleFile(path)) skeleton.set(path, file);
    else if (path.endsWith('.go') && !path.endsWith('_test.go')) {
      skeleton.set(path, textFile(importHead(Buffer.from(file.bytes).toString('utf8'))));
    }
  }
  return skeleton;
}

/** Modules below the root that a `replace` directive may name. */
function isLocalModuleFile(path: string): boolean {
  return path.endsWith('/go.mod') || path.endsWith('/go.sum');
}

function manifest(source: SourceTree): string {
  const file = source.get('go.mod');
  if (file === undefined) {
    throw new BuildFailure(
      'There is no go.mod beside jellyspec.json. Create it with: go mod init example.com/yourfunction',
    );
  }
  return Buffer.from(file.bytes).toString('utf8');
}

/** Quoted or not, as the language of go.mod allows; characters as Go allows them in module paths. */
function modulePath(goMod: string): string {
  const path = /^\s*module\s+\(?\s*["`]?([A-Za-z0-9._~/-]+)["`]?/m.exec(goMod)?.[1];
  if (path === undefined)
    throw new BuildFailure('go.mod names no module: its first line has to be "module <path>".');
  return path;
}

/**
 * The framework to add with `go get`, or undefined when the module requires one that this platform can serve.
 * Versions before 1.7 lack the handler that the generated main package uses.
 */
export function frameworkToAdd(source: SourceTree, pinned: string): string | undefined {
  const minor = new RegExp(`${FRAMEWORK_MODULE}\\s+v1\\.(\\d+)\\.`).exec(manifest(source))?.[1];
  return minor !== undefined && Number(minor) >= 7 ? undefined : `${FRAMEWORK_MODULE}@${pinned}`;
}

/** The version that our own module requires; every build without one gets it. */
export function pinnedFramework(goMod: string): string {
  const version = new RegExp(`${FRAMEWORK_MODULE}\\s+(v\\S+)`).exec(goMod)?.[1];
  if (version === undefined) throw new Error('guest/go/framework/go.mod does not require the framework');
  return version;
}

/** Go wants imports before all other declarations. A file that does not parse is left whole for `go` to judge. */
export function importHead(text: string): string {
  const tokens = tokensOf(text);
  if (tokens.next().value?.text !== 'package') return text;
  let end = tokens.next().value?.end ?? text.length;
  while (tokens.next().value?.text === 'import') {
    const first = tokens.next().value;
    const isLast = first?.text === '(' ? isClosing : isString;
    let token = first;
    while (token !== undefined && !isLast(token.text)) token = tokens.next().value;
    end = token?.end ?? text.length;
  }
  return `${text.slice(0, end)}\n`;
}

const isClosing = (token: string): boolean => token === ')';
const isString = (token: string): boolean => /^["`]/.test(token);

/** No alternative may match what another one matches: the text is hostile, and has to be read in linear time. */
const TOKEN = /([\s;\uFEFF]+|\/\/[^\n]*)|\/\*|[\p{L}_][\p{L}\p{N}_]*|"[^"\n]*"|`[^`]*`|[().]/uy;

/** Tokens of a file's head, without space and comments, until something that can stand in no import. */
function* tokensOf(text: string): Generator<{ text: string; end: number }, undefined> {
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    at = match[0] === '/*' ? endOfComment(text, at) : TOKEN.lastIndex;
    if (match[0] !== '/*' && match[1] === undefined) yield { text: match[0], end: at };
  }
  return undefined;
}

function endOfComment(text: string, start: number): number {
  const end = text.indexOf('*/', start + 2);
  return end === -1 ? text.length : end + 2;
}
