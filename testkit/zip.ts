import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ZipFile } from 'yazl';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Zips `files` below one root folder, as the public command line does. */
export async function zip(folder: string, files: Record<string, string | Uint8Array>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [path, content] of Object.entries(files)) {
    archive.addBuffer(Buffer.from(content as Uint8Array), `${folder}/${path}`);
  }
  archive.end();
  return buffer(archive.outputStream);
}

function readFolder(folder: string): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, entry);
    if (statSync(path).isFile()) files[relative(folder, path)] = readFileSync(path);
  }
  return files;
}

/** The files of a template, with jellyspec keys replaced by `spec`. */
export function templateFiles(runtime: string, spec: Record<string, unknown> = {}): Record<string, Buffer> {
  return withSpec(readFolder(join(root, 'templates', runtime)), spec);
}

/** The files of a fixture function, with jellyspec keys replaced by `spec`. */
export function fixtureFiles(name: string, spec: Record<string, unknown> = {}): Record<string, Buffer> {
  return withSpec(readFolder(join(root, 'testkit', 'fixtures', name)), spec);
}

function withSpec(files: Record<string, Buffer>, spec: Record<string, unknown>): Record<string, Buffer> {
  const written = JSON.parse(String(files['jellyspec.json'])) as Record<string, unknown>;
  return { ...files, 'jellyspec.json': Buffer.from(JSON.stringify({ ...written, ...spec })) };
}
