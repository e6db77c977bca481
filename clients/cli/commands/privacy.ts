import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { requireKey } from '../api.ts';
import { print, settingsOf, withJson, type Context } from '../context.ts';
import { CliError } from '../failure.ts';
import type { ClauseResult } from '../verify/clause-results.ts';
import type { Finding } from '../verify/findings.ts';
import { RESULT_WORDS, farewellOf, htmlReport, summaryOf } from '../verify/report.ts';
import { verifyInstallation, type Verification } from '../verify/verify.ts';

/** What an installation promises, and whether it holds. */
export function addPrivacyCommands(program: Command, context: Context): void {
  const privacy = program.command('privacy').description('check what an installation promises');
  const verify = withJson(privacy.command('verify'))
    .description('attack a running installation from outside, promise by promise (its owner only)')
    .option('--data-dir <folder>', 'its data directory, on the same machine: search files and processes too')
    .option('--report <file>', 'write the result as one HTML file')
    .action(async (options: { dataDir?: string; report?: string; json?: boolean }) => {
      const settings = settingsOf(context, verify);
      const verification = await verifyInstallation(
        {
          url: settings.url,
          ownerKey: requireKey(settings),
          dataDir: options.dataDir === undefined ? undefined : resolve(context.cwd, options.dataDir),
          onFinding: options.json === true ? () => undefined : (finding) => tellProgress(context, finding),
        },
        context.terminal,
      );
      if (options.report !== undefined) writeReport(resolve(context.cwd, options.report), verification);
      print(context, verify, { value: verification, lines: linesOf(verification) });
      if (verification.counts.fail > 0)
        throw new CliError(failure(verification), { code: 'cli.promise_broken' });
    });
}

const MARKS: Readonly<Record<Finding['result'], string>> = { pass: '✓', fail: '✗', unchecked: '–' };

function tellProgress({ terminal }: Context, { result, clauses, tried }: Finding): void {
  terminal.note(`${MARKS[result]} ${tried} (${clauses.join(', ')})`);
}

function linesOf(verification: Verification): string[] {
  return [
    '',
    ...verification.clauses.flatMap(clauseLines),
    '',
    summaryOf(verification),
    farewellOf(verification.account),
  ];
}

function clauseLines({ id, result, open, checks, tests }: ClauseResult): string[] {
  const state = open === null ? '' : ' (the installation says: not kept in full yet)';
  return [
    `${id.padEnd(4)} ${RESULT_WORDS[result]}${state}`,
    ...checks.map((check) => `       ${MARKS[check.result]} ${check.tried}: ${check.observed}`),
    ...(result === 'unchecked' ? tests.map((test) => `         attacked by ${test}`) : []),
  ];
}

function failure({ clauses }: Verification): string {
  const broken = clauses.filter(({ result }) => result === 'fail').map(({ id }) => id);
  return `${broken.join(', ')}: not kept by this installation. What was seen stands above.`;
}

function writeReport(path: string, verification: Verification): void {
  try {
    writeFileSync(path, htmlReport(verification));
  } catch {
    throw new CliError(`The report ${path} cannot be written. Check its folder and your rights.`);
  }
}
