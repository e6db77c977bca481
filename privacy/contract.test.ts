import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENTS } from '../server/kernel/events.ts';
import { DATA_MAP } from '../server/privacy/data-map/data-map.ts';
import { LOG_FIELDS } from '../server/privacy/log-fields.ts';
import {
  BROWSER_ITEMS,
  COOKIE_FILTERS,
  LASTING_PLACES,
  PASSING_PLACES,
  PEERS,
  WRITTEN_REQUESTS,
} from '../server/privacy/places.ts';
import { CLAUSES, wordingHashes } from '../server/privacy/registry.ts';
import { clauseFaults } from './contract/check-clauses.ts';
import { undeclaredBrowserItems, undeclaredDiallers, undeclaredWriters } from './contract/scan.ts';
import { MIGRATIONS, liveColumns, undescribedColumns, undescribedFields } from './contract/schemas.ts';
import { readSources, root } from './contract/sources.ts';

const sources = readSources();
const columns = await liveColumns();
const read = (path: string): string | undefined =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;

describe('the clauses', () => {
  it('are each bound to modules that are there and to tests that run', () => {
    expect(clauseFaults({ clauses: CLAUSES, wordings: wordingHashes(), read })).toEqual([]);
  });
});
describe('the data map', () => {
  it('has a row for every column, and a column for every row', () => {
    expect(undescribedColumns(columns, DATA_MAP)).toEqual([]);
    const migrated = readdirSync(join(root, 'server/stores/migrations'));
    expect(Object.keys(MIGRATIONS).toSorted()).toEqual(migrated.toSorted());
  });
});
describe('events of the log', () => {
  it('say what each of their fields holds', () => {
    expect(undescribedFields(EVENTS, LOG_FIELDS)).toEqual([]);
  });
});
describe('files', () => {
  it('are opened for writing by declared modules alone', () => {
    expect(undeclaredWriters(sources, [...LASTING_PLACES, ...PASSING_PLACES])).toEqual([]);
  });
});
describe('connections', () => {
  it('are opened by declared modules alone', () => {
    expect(undeclaredDiallers(sources, PEERS, WRITTEN_REQUESTS)).toEqual([]);
  });
});
describe('cookies, and what else browsers keep', () => {
  it('are the declared ones', () => {
    expect(undeclaredBrowserItems(sources, BROWSER_ITEMS, COOKIE_FILTERS)).toEqual([]);
  });
});
