import { randomBytes } from 'node:crypto';
import { startCanaryRun } from '../../../privacy/harness/canary.ts';
import type { Terminal } from '../terminal.ts';
import { accountPart, tokenPart } from './account-checks.ts';
import { answersPart, callPart } from './call-checks.ts';
import { type ClauseResult, clauseResults } from './clause-results.ts';
import { checkContract } from './contract-checks.ts';
import { databasePart } from './database-checks.ts';
import { type Finding, Findings } from './findings.ts';
import { createGuest, retireGuest } from './guest.ts';
import type { Installation, Part } from './installation.ts';
import { machinePart } from './machine-checks.ts';
import { type Probe, deployProbe } from './probe.ts';
import { questionPart } from './question-checks.ts';
import { visitorOf } from './visit.ts';
import { headerPart, widgetPart } from './web-checks.ts';

/** What a verification found, clause by clause. */
export interface Verification {
  readonly url: string;
  /** Of the server. */
  readonly version: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Null: only what HTTP shows was checked. */
  readonly dataDir: string | null;
  readonly clauses: readonly ClauseResult[];
  readonly counts: Readonly<Record<Finding['result'], number>>;
  /** The throw-away account; `emptied`: it stays, without a key that anybody has. */
  readonly account: { readonly name: string; readonly state: 'erased' | 'emptied' | 'left' };
}

export interface VerifyOptions {
  readonly url: string;
  /** A key of the installation's owner, who makes the throw-away account. */
  readonly ownerKey: string;
  /** The data directory of the server, on the same machine. */
  readonly dataDir: string | undefined;
  readonly onFinding: (finding: Finding) => void;
}

/** Checks a running installation from outside. Throws where it cannot begin; what it finds is in its result. */
export async function verifyInstallation(options: VerifyOptions, terminal: Terminal): Promise<Verification> {
  const { url, ownerKey, dataDir, onFinding } = options;
  const startedAt = Date.now();
  const findings = new Findings(onFinding);
  const nobody = visitorOf(url, {});
  const owner = visitorOf(url, { 'x-jf-apikey': ownerKey });
  const published = await checkContract(nobody, findings);
  const guest = await createGuest(url, owner);
  const run = startCanaryRun();
  const installation: Installation = { url, nobody, owner, guest, ...published, run, findings, startedAt };
  let state: Verification['account']['state'] = 'left';
  try {
    const shortname = `verify-${randomBytes(5).toString('hex')}`;
    const probe = await deployProbe({ url, apiKey: guest.apiKey, shortname, run }, terminal);
    for (const part of partsFor(probe, dataDir)) await attempt(part, installation);
  } finally {
    state = await retireGuest(installation);
  }
  const clauses = clauseResults(published.contract.clauses, findings.all);
  const count = (result: Finding['result']): number =>
    clauses.filter((clause) => clause.result === result).length;
  return {
    url,
    version: published.contract.version,
    startedAt: new Date(startedAt).toISOString(),
    dataDir: dataDir ?? null,
    clauses,
    counts: { pass: count('pass'), fail: count('fail'), unchecked: count('unchecked') },
    account: { name: guest.name, state },
  };
}

function partsFor(probe: Probe, dataDir: string | undefined): Part[] {
  return [
    accountPart,
    tokenPart,
    callPart(probe),
    questionPart,
    databasePart,
    widgetPart,
    headerPart,
    machinePart(dataDir, probe),
    answersPart,
  ];
}

/** A part that breaks off has not shown that its promises are kept. */
async function attempt(part: Part, installation: Installation): Promise<void> {
  try {
    await part.run(installation);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    installation.findings.check(part.clauses, `The checks of ${part.name}`, {
      faults: [`they broke off: ${reason}`],
      observed: '',
    });
  }
}
