import { writeFileSync } from 'node:fs';
import { privacyReport } from '../privacy/contract/report.ts';

/** `npm run privacy:report`: writes `docs/privacy-report.md`. A test fails when it is behind. */
writeFileSync(new URL('../docs/privacy-report.md', import.meta.url), privacyReport());
