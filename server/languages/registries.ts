import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { openPromise } from 'yauzl';
import { PlatformError } from '../kernel/errors.ts';
import { findNpm } from './node-runtimes.ts';

/**
 * Where a tool fetches packages, as the operator configured the tool on this machine: no registry is named in
 * our sources. Credentials never reach the jail, because an install script could read them: they are taken out
 * of the addresses, so a registry that asks for some has to be mirrored without.
 */
export interface Registry {
  /** `host` or `host:port` of everything the tool has to reach. */
  readonly hosts: readonly string[];
  /** Tells the tool inside the jail. */
  readonly env: Readonly<Record<string, string>>;
}

export interface MavenRegistry extends Registry {
  /** Content of a settings.xml for `mvn --settings`: one mirror for everything, through the egress proxy. */
  readonly settings: string;
}

export interface Registries {
  npm(): Promise<Registry>;
  /** `python` is the interpreter whose pip is asked. */
  pip(python: string): Promise<Registry>;
  go(goCommand: string): Promise<Registry>;
  /** `mavenHome` as printed by `mvn --version`. */
  maven(mavenHome: string): Promise<MavenRegistry>;
}

const run = promisify(execFile);
const ASK_TIMEOUT_MS = 30_000;

/** The answers are asked for once and kept for the life of the process. */
export function createRegistries(): Registries {
  const answers = new Map<string, Promise<Registry>>();
  function once<R extends Registry>(name: string, ask: () => Promise<R>): Promise<R> {
    const answer = (answers.get(name) as Promise<R> | undefined) ?? ask();
    answers.set(name, answer);
    void answer.catch(() => answers.delete(name));
    return answer;
  }
  return {
    npm: () => once('npm', askNpm),
    pip: (python) => once(`pip ${python}`, () => askPip(python)),
    go: (goCommand) => once(`go ${goCommand}`, () => askGo(goCommand)),
    maven: (mavenHome) => once(`maven ${mavenHome}`, () => askMaven(mavenHome)),
  };
}

async function askNpm(): Promise<Registry> {
  const npm = join(findNpm().directory, 'bin/npm-cli.js');
  return npmRegistry(await ask('npm', process.execPath, [npm, 'config', 'get', 'registry']));
}

export function npmRegistry(answer: string): Registry {
  const url = withoutCredentials(answer.trim());
  return { hosts: [hostOf(url)], env: { npm_config_registry: url } };
}

/** Prints what pip would use for an install, its built-in default included. */
const PIP_QUESTION = `
import json
from pip._internal.commands import create_command
from pip._internal.models.index import PyPI
options, _ = create_command('install').parse_args([])
print(json.dumps({'index': options.index_url, 'extra': options.extra_index_urls,
                  'default': PyPI.netloc, 'files': PyPI.file_storage_domain}))
`;

export interface PipAnswer {
  readonly index: string;
  readonly extra: readonly string[];
  /** Host of pip's built-in index, and the host on which that index keeps its files. */
  readonly default: string;
  readonly files: string;
}

async function askPip(python: string): Promise<Registry> {
  return pipRegistry(JSON.parse(await ask('pip', python, ['-c', PIP_QUESTION])) as PipAnswer);
}

export function pipRegistry(answer: PipAnswer): Registry {
  const [index = '', ...extra] = [answer.index, ...answer.extra].map(withoutCredentials);
  const hosts = new Set([index, ...extra].map(hostOf));
  if (hosts.has(answer.default)) hosts.add(answer.files);
  return {
    hosts: [...hosts],
    env: { PIP_INDEX_URL: index, ...(extra.length === 0 ? {} : { PIP_EXTRA_INDEX_URL: extra.join(' ') }) },
  };
}

export interface GoAnswer {
  readonly GOPROXY: string;
  readonly GOSUMDB: string;
  readonly GONOSUMDB: string;
}

async function askGo(goCommand: string): Promise<Registry> {
  const answer = await ask('go', goCommand, ['env', '-json', 'GOPROXY', 'GOSUMDB', 'GONOSUMDB']);
  return goRegistry(JSON.parse(answer) as GoAnswer);
}

/** `direct` is left out: fetching from version control would need every host there is. */
export function goRegistry(answer: GoAnswer): Registry {
  const entries = answer.GOPROXY.split(/([,|])/);
  const isProxy = (entry: string | undefined): entry is string => entry?.includes('://') ?? false;
  const proxies = entries.filter(isProxy).map(withoutCredentials);
  // `name`, `name+hash+key`, each optionally followed by the address of the database.
  const [database = '', databaseUrl] = answer.GOSUMDB.split(' ');
  const databaseHost = databaseUrl === undefined ? (database.split('+')[0] ?? '') : hostOf(databaseUrl);
  return {
    hosts: [...new Set([...proxies.map(hostOf), ...(answer.GOSUMDB === 'off' ? [] : [databaseHost])])],
    env: {
      GOPROXY: proxies.length === 0 ? 'off' : proxies.join(','),
      GOSUMDB: answer.GOSUMDB,
      GONOSUMDB: answer.GONOSUMDB,
      GOFLAGS: '-buildvcs=false',
    },
  };
}

async function askMaven(mavenHome: string): Promise<MavenRegistry> {
  const files = [join(homedir(), '.m2/settings.xml'), join(mavenHome, 'conf/settings.xml')];
  for (const file of files) {
    const url = existsSync(file) ? centralMirror(await readFile(file, 'utf8')) : undefined;
    if (url !== undefined) return mavenRegistry(url);
  }
  const superPom = await readSuperPom(mavenHome);
  const url = /<repository>[\s\S]*?<url>\s*([^<\s]+)\s*<\/url>/.exec(superPom)?.[1];
  if (url === undefined) throw unanswered('maven');
  return mavenRegistry(url);
}

/** The address of a settings file's mirror that serves Maven's central repository. */
export function centralMirror(settings: string): string | undefined {
  const active = settings.replaceAll(/<!--[\s\S]*?-->/g, '');
  for (const [, mirror = ''] of active.matchAll(/<mirror>([\s\S]*?)<\/mirror>/g)) {
    const of = /<mirrorOf>\s*([^<]*?)\s*<\/mirrorOf>/.exec(mirror)?.[1]?.split(',') ?? [];
    const serves = of.some((id) => ['*', 'central', 'external:*'].includes(id.trim()));
    const blocked = /<blocked>\s*true\s*<\/blocked>/.test(mirror) || of.includes('!central');
    if (serves && !blocked) return /<url>\s*([^<\s]+)\s*<\/url>/.exec(mirror)?.[1];
  }
  return undefined;
}

/** Maven's built-in defaults lie in one of its libraries. */
async function readSuperPom(mavenHome: string): Promise<string> {
  const library = join(mavenHome, 'lib');
  const archive = (await readdir(library)).find((name) => /^maven-model-builder-.*\.jar$/.test(name));
  if (archive === undefined) throw unanswered('maven');
  const zip = await openPromise(join(library, archive));
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== 'org/apache/maven/model/pom-4.0.0.xml') continue;
    return text(await zip.openReadStreamPromise(entry));
  }
  throw unanswered('maven');
}

export function mavenRegistry(address: string): MavenRegistry {
  const url = withoutCredentials(address);
  const proxy = (protocol: string): string =>
    `<proxy><id>${protocol}</id><active>true</active><protocol>${protocol}</protocol>` +
    `<host>127.0.0.1</host><port>3128</port></proxy>`;
  const mirror = `<mirror><id>registry</id><mirrorOf>*</mirrorOf><url>${url}</url></mirror>`;
  const settings =
    `<settings><mirrors>${mirror}</mirrors>` +
    `<proxies>${proxy('http')}${proxy('https')}</proxies></settings>\n`;
  return { hosts: [hostOf(url)], env: {}, settings };
}

async function ask(tool: string, command: string, args: readonly string[]): Promise<string> {
  try {
    // The root directory holds no project whose own settings could answer instead of the operator's.
    const { stdout } = await run(command, args, { cwd: '/', timeout: ASK_TIMEOUT_MS });
    return stdout;
  } catch (error) {
    throw unanswered(tool, error);
  }
}

function unanswered(tool: string, cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'languages.registry_unknown',
    message: `${tool} on this server did not tell which registry it uses. The operator can try it: it has to work outside the platform first.`,
    cause,
  });
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

/** The egress policy's form: the port only when it is not the protocol's own. */
function hostOf(address: string): string {
  return new URL(address).host;
}
