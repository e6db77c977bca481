import { mkdirSync, writeFileSync } from 'node:fs';
import { settingsReference } from '../server/config.ts';

/** Writes the reference pages that come from code: `npm run docs`. A unit test fails when they are behind. */
const folder = new URL('../docs/reference/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('settings.md', folder), settingsReference());
