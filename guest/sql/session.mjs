// Asks one outside database inside the jail. Everything hostile is read here and not in the server: what the database
// sends, and the statements that a model wrote from it. Frames are JSON lines on descriptor 3, one request at a time;
// server/engines/engine.ts has their shapes, server/sql/external/session.ts the requests.
import net from 'node:net';
import { failureOf, Told } from './failures.mjs';
import { openTunnel } from './tunnel.mjs';

const control = new net.Socket({ fd: 3 });
control.on('error', () => process.exit(0)).on('end', () => process.exit(0));
const send = (frame) => control.write(`${JSON.stringify(frame)}\n`);

const DIALECTS = {
  mysql: async () => (await import('./mysql.mjs')).openMysql,
  postgres: async () => (await import('./postgres.mjs')).openPostgres,
};

let dialect;
let target;
let limits;
let driver;
let guard;
/** The connection that nothing has been read by yet: each statement finds a fresh one. */
let fresh;
let reading;
/** What the guard allows, by the list of tables. */
const described = new Map();

const HANDLERS = {
  load(message) {
    ({ dialect } = message);
    driver = DIALECTS[dialect]();
    driver.catch(() => process.exit(1));
    send({ t: 'ready' });
  },
  async request({ id, method, ...request }) {
    try {
      send({ t: 'done', id, value: await METHODS[method](request) });
    } catch (error) {
      send({ t: 'failed', id, ...failureOf(error, { isConnecting: method === 'open', sql: request.sql }) });
    }
  },
  async cancel() {
    await reading?.cancel().catch(() => {});
    process.exit(0);
  },
};

const METHODS = {
  async open(request) {
    ({ target, limits } = request);
    fresh = await connect();
    if (await fresh.isTooPowerful()) throw new Told('sql.too_powerful');
    // Its parser takes longer to load than all the rest, and a model is asked first.
    guard = loadGuard();
    guard.catch(() => process.exit(1));
  },
  async schema({ tables }) {
    return (await describe(tables)).schema;
  },
  async read({ sql, tables }) {
    const { allowed } = await describe(tables);
    const checked = (await guard)(sql, allowed);
    reading = await session();
    fresh = undefined;
    try {
      return await reading.read(checked);
    } finally {
      // Ends the transaction, and whatever the statement has left behind in the session.
      reading.close();
      reading = undefined;
    }
  },
};

const connect = async () => (await driver)(target, () => openTunnel(target), limits);
const session = async () => (fresh ??= await connect());

async function loadGuard() {
  const loaded = await import(`./guard/${dialect}.mjs`);
  await loaded.prepareGuard();
  return loaded.guard;
}

async function describe(tables) {
  const key = JSON.stringify(tables);
  if (!described.has(key)) described.set(key, await (await session()).tables(tables));
  const found = described.get(key);
  if (found === undefined) throw new Told('sql.unknown_table');
  return found;
}

let pending = '';
control.setEncoding('utf8').on('data', (chunk) => {
  const lines = (pending + chunk).split('\n');
  pending = lines.pop();
  for (const line of lines) {
    const message = JSON.parse(line);
    void HANDLERS[message.t](message);
  }
});
