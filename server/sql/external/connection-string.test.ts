import { describe, expect, test } from 'vitest';
import { isAllowedHostEntry } from './allowed-hosts.ts';
import { authorityOf, parseConnectionString, type Target } from './connection-string.ts';

const MYSQL: Target = {
  dialect: 'mysql',
  host: 'db.example.com',
  port: 3306,
  user: 'ada',
  password: 'secret',
  database: 'shop',
  tls: 'verified',
};
const POSTGRES: Target = { ...MYSQL, dialect: 'postgres', port: 5432 };

test.each<[string, Target]>([
  ['ada:secret@tcp(db.example.com:3306)/shop', MYSQL],
  ['ada:secret@tcp(db.example.com)/shop', MYSQL],
  ['ada:secret@tcp(DB.Example.com:3307)/shop', { ...MYSQL, port: 3307 }],
  ['ada@tcp(db.example.com)/shop', { ...MYSQL, password: '' }],
  ['ada:p@ss:w/rd?(x)@tcp(db.example.com)/shop', { ...MYSQL, password: 'p@ss:w/rd?(x)' }],
  ['ada:%41@tcp(db.example.com)/shop', { ...MYSQL, password: '%41' }],
  ['ada:secret@tcp(db.example.com)/my%2Fshop', { ...MYSQL, database: 'my/shop' }],
  ['ada:secret@tcp([2001:db8::1]:3306)/shop', { ...MYSQL, host: '2001:db8::1' }],
  ['ada:secret@tcp(10.0.0.1:3306)/shop?tls=false', { ...MYSQL, host: '10.0.0.1', tls: 'off' }],
  ['ada:secret@tcp(db.example.com)/shop?tls=true&charset=utf8mb4&parseTime=true&loc=Local', MYSQL],
  ['ada:secret@tcp(db.example.com)/shop?tls=skip-verify', { ...MYSQL, tls: 'unverified' }],
  ['mysql://ada:secret@db.example.com/shop', MYSQL],
  ['mariadb://ada:secret@db.example.com:3306/shop', MYSQL],
  ['mysql://ada:secret@db.example.com/shop?ssl-mode=DISABLED', { ...MYSQL, tls: 'off' }],
  ['mysql://ada:secret@db.example.com/shop?ssl-mode=VERIFY_IDENTITY', MYSQL],
  ['mysql://ada:secret@db.example.com/shop?tls=skip-verify', { ...MYSQL, tls: 'unverified' }],
  ['postgres://ada:secret@db.example.com/shop', POSTGRES],
  ['postgresql://ada:secret@db.example.com:5433/shop', { ...POSTGRES, port: 5433 }],
  ['postgres://ada:p%40ss%2F%3A@db.example.com/shop', { ...POSTGRES, password: 'p@ss/:' }],
  ['postgres://ada:p@ss:w/rd?x@db.example.com/shop', { ...POSTGRES, password: 'p@ss:w/rd?x' }],
  ['postgres://ada:secret@[2001:db8::1]:5432/shop', { ...POSTGRES, host: '2001:db8::1' }],
  ['postgres://ada:secret@db.example.com/shop?sslmode=disable', { ...POSTGRES, tls: 'off' }],
  [
    'postgres://ada:secret@db.example.com/shop?sslmode=require&channel_binding=require',
    { ...POSTGRES, tls: 'unverified' },
  ],
  ['postgres://ada:secret@db.example.com/shop?sslmode=verify-full&application_name=x', POSTGRES],
  ['postgres://ada:secret@db.example.com/shop?sslmode=verify-ca', POSTGRES],
])('%s is understood', (text, expected) => {
  expect(parseConnectionString(text)).toEqual(expected);
});

const CANARY = 'kNaRy7741';

test.each([
  '',
  CANARY,
  `${CANARY}:${CANARY}@/${CANARY}`,
  `${CANARY}:${CANARY}@tcp/${CANARY}`,
  `${CANARY}@unix(/var/run/mysqld.sock)/${CANARY}`,
  `${CANARY}@tcp(/var/run/mysqld.sock)/${CANARY}`,
  `${CANARY}@tcp(a.example:1,b.example:2)/${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:0)/${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:65536)/${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:1x)/${CANARY}`,
  `${CANARY}@tcp(${CANARY}%2eexample:1)/${CANARY}`,
  `${CANARY}@tcp([::1%eth0]:1)/${CANARY}`,
  `${CANARY}@tcp(bücher.example:1)/${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:1)/`,
  `:${CANARY}@tcp(${CANARY}.example:1)/${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?tls=${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?tls=preferred`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?tls=false&tls=true`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?multiStatements=true`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?allowAllFiles=true`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?allowCleartextPasswords=true`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?__proto__=true`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?tls=constructor`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?sql_mode=${CANARY}`,
  `${CANARY}@tcp(${CANARY}.example:1)/${CANARY}?tls=%zz`,
  `${CANARY}@tcp(${CANARY}.example:1)/%zz`,
  `${CANARY}\n@tcp(${CANARY}.example:1)/${CANARY}`,
  `http://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}`,
  `sqlserver://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}`,
  `file:///${CANARY}`,
  `postgres://${CANARY}.example/${CANARY}`,
  `postgres:///${CANARY}?host=/var/run/postgresql`,
  `postgres://${CANARY}@%2Fvar%2Frun%2Fpostgresql/${CANARY}`,
  `postgres://${CANARY}:${CANARY}@a.example,b.example/${CANARY}`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/`,
  `postgres://${CANARY}:%zz@${CANARY}.example/${CANARY}`,
  `postgres://${CANARY}:a%00b@${CANARY}.example/${CANARY}`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}?host=127.0.0.1`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}?options=-c%20x=y`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}?sslmode=prefer`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}?sslrootcert=/etc/passwd`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/${CANARY}/x`,
  `postgres://${CANARY}:${CANARY}@${CANARY}.example/${'x'.repeat(5000)}`,
])('%j is refused without a word of it', (text) => {
  let refusal: unknown;
  try {
    parseConnectionString(text);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ code: 'sql.bad_connection' });
  expect(`${String(refusal)} ${JSON.stringify(refusal)} ${(refusal as Error).stack}`).not.toContain(CANARY);
});

test('a long hostile string is read in no time', () => {
  for (const text of [`${'a:'.repeat(2000)}@`, `${'('.repeat(2000)}@tcp(`, `x://${'@/'.repeat(2000)}`]) {
    expect(() => parseConnectionString(text)).toThrow();
  }
});

describe('addresses', () => {
  test('are written as a proxy takes them', () => {
    expect(authorityOf({ host: 'db.example.com', port: 1 })).toBe('db.example.com:1');
    expect(authorityOf({ host: '2001:db8::1', port: 1 })).toBe('[2001:db8::1]:1');
  });

  test.each(['db:3306', '10.0.0.1:3306', '[fd00::1]:5432', '10.0.0.0/8', 'fd00::/8'])(
    '%s can be opened',
    (entry) => {
      expect(isAllowedHostEntry(entry)).toBe(true);
    },
  );

  test.each(['db', '10.0.0.1', '*', '*:3306', '10.0.0.0/33', 'fd00::1:5432', '', 'a b:1', '/8'])(
    '%j is no entry of the setting',
    (entry) => {
      expect(isAllowedHostEntry(entry)).toBe(false);
    },
  );
});
