// Asks one outside database inside the jail. Everything hostile is read here and not in the server: what the database
// sends, and the statements that a model wrote from it. Frames are JSON lines on descriptor 3, one request at a time;
// server/sql/external/session.ts has their shapes.
import net from 'node:net';
import { failureOf } from './failures.mjs';
import { openTunnel } from './tunnel.mjs';

const DIALECTS = {
  mysql: async () => (await import('./mysql.mjs')).openMysql,
  postgres: async () => (await import('./postgres.mjs')).openPostgres,
};

const control = new net.Socket({ fd: 3 });
control.on('error', () => process.exit(0)).on('end', () => process.exit(0));
const send = (frame) => control.write(`${JSON.stringify(frame)}\n`);

let openSession;
let target;
let limits;
/** The connection that nothing has been read by yet: each statement finds a fresh one. */
let fresh;
let reading;
let guard;
/** What the guard allows, by the list of tables. */
const described = new Map();

const METHODS = {
  async open(request) {
    ({ target, limits } = request);
    openSession = await DIALECTS[target.dialect]();
    fresh = await connect();
    if (await fresh.isTooPowerful()) return { code: 'sql.too_powerful' };
    // Its parser takes longer to load than everything before, and the model is asked first.
    guard = import(`./guard/${target.dialect}.mjs`).then(async (loaded) => {
      await loaded.prepareGuard();
      return loaded.guard;
    });
    guard.catch(() => {});
    return {};
  },
  async schema({ tables }) {
    const found = await describe(tables);
    return found === undefined ? { code: 'sql.unknown_table' } : { value: found.schema };
  },
  async read({ sql, tables }) {
    const found = await describe(tables);
    if (found === undefined) return { code: 'sql.unknown_table' };
    const checked = (await guard)(sql, found.allowed);
    reading = await session();
    fresh = undefined;
    return { value: await reading.read(checked) };
  },
  async cancel() {
    await reading?.cancel();
    process.exit(0);
  },
};

const connect = () => openSession(target, () => openTunnel(target), limits);
const session = async () => (fresh ??= await connect());

async function describe(tables) {
  const key = JSON.stringify(tables);
  if (!described.has(key)) described.set(key, await (await session()).tables(tables));
  return described.get(key);
}

async function answer({ id, method, ...request }) {
  const isConnecting = method === 'open';
  try {
    send({ id, ...(await METHODS[method](request)) });
  } catch (error) {
    send({ id, ...failureOf(error, { isConnecting, sql: request.sql }) });
  }
}

let pending = '';
control.setEncoding('utf8').on('data', (chunk) => {
  const lines = (pending + chunk).split('\n');
  pending = lines.pop();
  for (const line of lines) void answer(JSON.parse(line));
});
