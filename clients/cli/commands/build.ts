import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { BadBuilds, FunctionDetails } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { deploy, invokeExample } from '../deployment.ts';
import { CliError, isSystemError } from '../failure.ts';
import { packFunction, UPLOAD_BYTES_MAX } from '../function-folder.ts';

/** From a folder to a running version: zip, deploy, builds. */
export function addBuildCommands(program: Command, context: Context): void {
  const zip = withJson(program.command('zip'))
    .description('zip a function; with -d deploy it right away, without leaving a file')
    .option('-s, --source <folder>', "the function's folder", '.')
    .option('-o, --overwrite', 'replace an existing zip; with -d write the zip too')
    .option('-d, --deploy', 'deploy the zip')
    .option('-w, --wait', 'wait for the build even where nobody watches')
    .allowExcessArguments()
    .action((options: ZipOptions) => runZip(context, zip, options));

  const deployCommand = withJson(program.command('deploy'))
    .description('deploy a zipped function as its next version')
    .requiredOption('-z, --zip <file>', 'the zip')
    .option('-w, --wait', 'wait for the build even where nobody watches')
    .allowExcessArguments()
    .action(async ({ zip: file, wait }: { zip: string; wait?: boolean }) => {
      const bytes = readZip(resolve(context.cwd, file));
      await runDeploy(context, deployCommand, { fileName: basename(file), zip: bytes, wait: wait === true });
    });

  addBuildsCommands(program, context);
}

interface ZipOptions {
  readonly source: string;
  readonly overwrite?: boolean;
  readonly deploy?: boolean;
  readonly wait?: boolean;
}

async function runZip(context: Context, command: Command, options: ZipOptions): Promise<void> {
  const packed = await packFunction(resolve(context.cwd, options.source));
  for (const path of packed.skipped) context.terminal.note(`Left out ${path}: not a plain file.`);
  const fileName = `${packed.shortname}.zip`;
  if (options.deploy !== true || options.overwrite === true) {
    writeZip(join(context.cwd, fileName), packed.zip, options.overwrite === true);
  }
  if (options.deploy === true) {
    await runDeploy(context, command, { fileName, zip: packed.zip, wait: options.wait === true });
    return;
  }
  const lines = [
    `Wrote ${fileName}: ${packed.files.length} files, ${packed.zip.length} bytes.`,
    `Deploy it with: jellyfaas deploy -z ${fileName}`,
  ];
  print(context, command, {
    value: { file: fileName, bytes: packed.zip.length, files: packed.files },
    lines,
  });
}

function writeZip(path: string, zip: Buffer, overwrite: boolean): void {
  if (existsSync(path) && !overwrite) {
    throw new CliError(`${path} exists already. Add -o to replace it, or -d to deploy without a file.`);
  }
  writeFileSync(path, zip);
}

function readZip(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EISDIR')) throw error;
    throw new CliError(`There is no file ${path}. Make one with "jellyfaas zip", or run "jellyfaas zip -d".`);
  }
  if (bytes.length <= UPLOAD_BYTES_MAX) return bytes;
  throw new CliError(
    `${path} is larger than ${UPLOAD_BYTES_MAX / 1024 / 1024} MiB. Leave dependencies out of it.`,
  );
}

async function runDeploy(
  context: Context,
  command: Command,
  upload: { fileName: string; zip: Buffer; wait: boolean },
): Promise<void> {
  const { terminal } = context;
  const api = connect(context, command);
  const quiet = command.opts<{ json?: boolean }>().json === true;
  const wait = upload.wait || terminal.interactive;
  const result = await deploy(api, terminal, { ...upload, wait, quiet });
  const lines = result.deployedDetails.map(({ size, urlLocation }) => `Size ${size}: ${urlLocation}`);
  if (wait) {
    const path = `/core-service/v1/library/${encodeURIComponent(result.function_id)}`;
    const details = await api.get<FunctionDetails>(path);
    lines.unshift(`Deployed ${result.function_id} version ${result.deployingVersion ?? 1}.`);
    lines.push(`Try it: ${invokeExample(details)}`);
  } else {
    lines.push('It answers once it is built. Add -w to wait; "jellyfaas builds list" shows bad builds.');
  }
  print(context, command, { value: { ...result, status: wait ? 'DEPLOYED' : 'QUEUED' }, lines });
}

function addBuildsCommands(program: Command, context: Context): void {
  const builds = program.command('builds').description('builds that failed');

  const list = withJson(builds.command('list'))
    .description('list bad builds with their messages')
    .action(async () => {
      const value = await connect(context, list).get<BadBuilds>('/core-service/v1/badbuilds');
      const rows = value.badBuilds.map(({ buildId, functionId, createdAt }) => [
        buildId,
        functionId,
        createdAt,
      ]);
      const lines = table(['BUILD', 'FUNCTION', 'CREATED'], rows, 'There are no bad builds.');
      for (const { buildId, errorDetails } of value.badBuilds)
        lines.push('', `${buildId}:`, errorDetails.trimEnd());
      print(context, list, { value, lines });
    });

  const clean = withJson(builds.command('clean'))
    .description('forget a bad build')
    .requiredOption('-b, --buildId <id>', 'from "builds list"')
    .action(async ({ buildId }: { buildId: string }) => {
      const path = `/core-service/v1/badbuilds?id=${encodeURIComponent(buildId)}`;
      const value = await connect(context, clean).send<{ buildId: string; functions: string[] }>(
        'DELETE',
        path,
      );
      const gone = value.functions.length > 0 ? ` and with it ${value.functions.join(', ')}` : '';
      print(context, clean, { value, lines: [`Removed ${value.buildId}${gone}.`] });
    });
}
