import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
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

const MARIADBD = '/usr/sbin/mariadbd';
const USER = 'mysql';

/**
 * Users, all with their name as password: `reader` reads the three databases, `writer` does everything with their
 * tables; the others hold something that no account of a question may hold.
 */
const USERS = `
CREATE USER reader IDENTIFIED BY 'reader', writer IDENTIFIED BY 'writer', filer IDENTIFIED BY 'filer',
  super IDENTIFIED BY 'super', roled IDENTIFIED BY 'roled';
CREATE ROLE operators; GRANT PROCESS ON *.* TO operators; GRANT operators TO roled;
${DATABASES.map((name) => `GRANT SELECT ON ${name}.* TO reader; GRANT ALL ON ${name}.* TO writer;`).join('\n')}
GRANT EXECUTE ON shop.* TO reader;
GRANT SELECT ON shop.* TO filer; GRANT FILE ON *.* TO filer;
GRANT SELECT ON shop.* TO roled;
GRANT ALL ON *.* TO super WITH GRANT OPTION;
`;

/** A MariaDB with the fixtures on a port of its own; undefined where it is not installed. */
export async function startMariadb(): Promise<DatabaseServer | undefined> {
  if (!existsSync(MARIADBD)) return missing('mariadbd');
  const directory = await directoryFor(USER);
  const [data, socket] = [join(directory, 'data'), join(directory, 's')];
  // A server that starts removes what others have in a directory for temporary tables, and they fail or even crash.
  const temporary = `--tmpdir=${directory}`;
  await writeCertificates(directory);
  await chmod(join(directory, 'key.pem'), 0o644);
  await run('mariadb-install-db', [
    `--user=${USER}`,
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    temporary,
  ]);
  const port = await freePort();
  const server = await started(
    MARIADBD,
    [
      '--no-defaults',
      `--user=${USER}`,
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      temporary,
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=16M',
      ...['ca', 'cert', 'key'].map((part) => `--ssl-${part}=${join(directory, `${part}.pem`)}`),
    ],
    /ready for connections/,
  );
  const admin = (database: string, sql: string): Promise<string> =>
    runWith(sql, 'mariadb', [
      `--socket=${socket}`,
      '--user=root',
      '--batch',
      '--skip-column-names',
      database,
    ]);
  for (const name of DATABASES) {
    await admin('mysql', `CREATE DATABASE ${name}`);
    await admin(name, await fixtureSql('mysql', name));
  }
  await admin('mysql', USERS);
  return {
    port,
    caFile: join(directory, 'ca.pem'),
    admin,
    stop: () => stopped(server, 'SIGTERM', directory),
  };
}
