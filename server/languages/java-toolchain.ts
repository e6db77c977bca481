import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { which } from './which.ts';

export interface Jdk {
  readonly home: string;
  readonly major: number;
  /** For example `17.0.15`. */
  readonly version: string;
}

export interface JavaToolchain {
  readonly jdk: Jdk;
  /** Maven's own directory, with `boot`, `bin` and `lib`. */
  readonly mavenHome: string;
}

/** The certificate authorities of the operator in Java's form, as Debian and its relatives keep them. */
export const JAVA_TRUST_STORE = '/etc/ssl/certs/java/cacerts';

const JDK_DIRECTORY = '/usr/lib/jvm';
const MAVEN_HOMES = ['/usr/share/maven', '/opt/maven', '/usr/local/maven'];
const MAJOR_ASKED = 21;
/** Unix sockets came with 16, and the framework's invoker is compiled for 17. */
const MAJOR_MIN = 17;

export function findJava(): JavaToolchain | undefined {
  const jdk = chooseJdk(installedJdks());
  const mavenHome = findMaven();
  return jdk === undefined || mavenHome === undefined ? undefined : { jdk, mavenHome };
}

/** Java 21 where it is installed, else the next newer one, else the newest older one that serves. */
export function chooseJdk(jdks: readonly Jdk[]): Jdk | undefined {
  const served = jdks.filter(({ major }) => major >= MAJOR_MIN).toSorted((a, b) => a.major - b.major);
  return served.find(({ major }) => major >= MAJOR_ASKED) ?? served.at(-1);
}

/** `OpenJDK 21.0.7`, or with what was asked for when it is another one. */
export function runtimeDetail({ major, version }: Jdk): string {
  return `OpenJDK ${version}${major === MAJOR_ASKED ? '' : ` (java${MAJOR_ASKED} asked for)`}`;
}

function installedJdks(): Jdk[] {
  const named = existsSync(JDK_DIRECTORY) ? readdirSync(JDK_DIRECTORY).toSorted() : [];
  const compiler = which('javac');
  const homes = named.map((name) => join(JDK_DIRECTORY, name));
  if (compiler !== undefined) homes.push(dirname(dirname(compiler)));
  return [...new Set(homes.filter((home) => existsSync(home)).map((home) => realpathSync(home)))]
    .map(readJdk)
    .filter((jdk) => jdk !== undefined);
}

/** Every JDK tells its version in a file; a mere run time environment has no compiler. */
function readJdk(home: string): Jdk | undefined {
  const release = join(home, 'release');
  if (!existsSync(join(home, 'bin/javac')) || !existsSync(release)) return undefined;
  const version = /^JAVA_VERSION="([\d.]+)/m.exec(readFileSync(release, 'utf8'))?.[1];
  return version === undefined ? undefined : { home, version, major: Number(version.split('.')[0]) };
}

function findMaven(): string | undefined {
  const command = which('mvn');
  const homes = [...(command === undefined ? [] : [dirname(dirname(command))]), ...MAVEN_HOMES];
  return homes.find((home) => existsSync(join(home, 'bin/m2.conf')) && existsSync(join(home, 'boot')));
}
