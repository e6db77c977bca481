import { existsSync, globSync } from 'node:fs';
import { chmod, chown, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  DATABASES,
  type DatabaseServer,
  directoryFor,
  fixtureSql,
  freePort,
  missing,
  run,
  runWith,
  started,
  stopped,
  writeCertificates,
} from './database-server.ts';

const USER = 'postgres';

/**
 * Users, all with their name as password: `reader` reads the three databases, `writer` does everything with their
 * tables; the others hold something that no account of a question may hold.
 */
const USERS = `
CREATE ROLE reader LOGIN PASSWORD 'reader'; CREATE ROLE writer LOGIN PASSWORD 'writer';
CREATE ROLE filer LOGIN PASSWORD 'filer'; GRANT pg_read_server_files TO filer;
CREATE ROLE super SUPERUSER LOGIN PASSWORD 'super';
CREATE ROLE operators SUPERUSER; CREATE ROLE roled LOGIN PASSWORD 'roled' NOINHERIT; GRANT operators TO roled;
`;
const GRANTS = `
GRANT ALL ON ALL TABLES IN SCHEMA public TO writer; GRANT CREATE ON SCHEMA public TO writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader, filer, roled;
`;

/** A Postgres with the fixtures on a port of its own; undefined where it is not installed. */
export async function startPostgres(): Promise<DatabaseServer | undefined> {
  const initdb = globSync('/usr/lib/postgresql/*/bin/initdb').at(-1);
  if (initdb === undefined || !existsSync(initdb)) return missing('postgres');
  const directory = await directoryFor(USER);
  const data = join(directory, 'data');
  await writeCertificates(directory);
  const { uid, gid } = await stat(directory);
  await chown(join(directory, 'key.pem'), uid, gid);
  await chmod(join(directory, 'key.pem'), 0o600);
  // It refuses to run as root.
  const asUser: [string, ...string[]] = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--init-groups',
    '--',
  ];
  const [program, ...prefix] = process.getuid?.() === 0 ? asUser : ['env'];
  await run(program, [
    ...prefix,
    initdb,
    '-D',
    data,
    '--no-sync',
    '--locale=C',
    '--encoding=UTF8',
    `--username=${USER}`,
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
  ]);
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: join(directory, 'cert.pem'),
    ssl_key_file: join(directory, 'key.pem'),
  };
  const server = await started(
    program,
    [
      ...prefix,
      join(dirname(initdb), 'postgres'),
      '-D',
      data,
      '-p',
      `${port}`,
      '-k',
      directory,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    /ready to accept connections/,
  );
  const admin = (database: string, sql: string): Promise<string> =>
    runWith(sql, 'psql', [
      '-X',
      '-q',
      '-A',
      '-t',
      '-F',
      '\t',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      directory,
      '-p',
      `${port}`,
      '-U',
      USER,
      database,
    ]);
  await admin('postgres', USERS);
  for (const name of DATABASES) {
    await admin('postgres', `CREATE DATABASE ${name}`);
    await admin(name, (await fixtureSql('postgres', name)) + GRANTS);
  }
  await admin('library', 'GRANT USAGE ON SCHEMA archive TO reader; GRANT SELECT ON archive.loans TO reader');
  return {
    port,
    caFile: join(directory, 'ca.pem'),
    admin,
    // "Fast": connections are ended.
    stop: () => stopped(server, 'SIGINT', directory),
  };
}
