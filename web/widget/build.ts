import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { WIDGET_TEXT_LENGTH_MAX, WIDGET_TURNS_MAX } from '../../contract/aimee-widget.ts';

/**
 * Builds the one file of the widget: the frame's script first, then the loader around it, which names the hash of what it
 * carries. The same sources give the same bytes.
 */
export interface Manifest {
  /** `aimee-<version>-<hash>.js`. */
  readonly file: string;
  readonly version: string;
  /** For the `integrity` of the tag. */
  readonly integrity: string;
  /** `sha256-…` of the script inside the frame, which pages with a policy of hashes have to allow. */
  readonly frameScript: string;
}

const root = fileURLToPath(new URL('.', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

const PLACE = 'FRAME_SCRIPT_HERE';
/** The first is for pages in none of them. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'tr', 'ar', 'he', 'ja'] as const;

export async function buildWidget(outDir = join(root, 'dist')): Promise<Manifest> {
  const frame = await bundle('src/frame/main.ts', {
    TEXT_LENGTH_MAX: WIDGET_TEXT_LENGTH_MAX,
    TURNS_MAX: WIDGET_TURNS_MAX,
  });
  if (frame.includes('</script')) throw new Error('the script of the frame would end its own element');
  const frameScript = digest('sha256', frame);
  const loader = await bundle('src/loader/main.ts', {
    ...texts(),
    FRAME_SCRIPT: PLACE,
    FRAME_SCRIPT_HASH: frameScript,
  });
  // Put in after minifying, which would write it as a template and escape every second word of it.
  const code = loader.replace(PLACE, () => '${' + JSON.stringify(frame) + '}');
  const integrity = digest('sha384', code);
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 10);
  const manifest = { file: `aimee-${version}-${hash}.js`, version, integrity, frameScript };
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, manifest.file), code);
  writeFileSync(join(outDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Names once, not in every language: a tenth of the file. */
function texts(): { TEXT_NAMES: string; TEXTS: [string, string][] } {
  const read = (language: string): Record<string, string> =>
    JSON.parse(readFileSync(join(root, 'src', 'locales', `${language}.json`), 'utf8')) as Record<
      string,
      string
    >;
  const names = Object.keys(read('en'));
  return {
    TEXT_NAMES: names.join('|'),
    TEXTS: LANGUAGES.map((language) => [language, names.map((name) => read(language)[name]).join('|')]),
  };
}

function digest(algorithm: 'sha256' | 'sha384', text: string): string {
  return `${algorithm}-${createHash(algorithm).update(text).digest('base64')}`;
}

async function bundle(entry: string, values: Record<string, unknown>): Promise<string> {
  const result = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    define: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)])),
    build: {
      write: false,
      target: 'es2022',
      cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
      lib: { entry, formats: ['iife'], name: 'aimee' },
    },
  });
  const [output] = Array.isArray(result) ? result : [];
  const [chunk] = output?.output ?? [];
  if (chunk?.type !== 'chunk') throw new Error(`no code came of ${entry}`);
  return chunk.code.trim();
}

if (import.meta.main) {
  const { file } = await buildWidget(process.argv[2]);
  process.stdout.write(`${file}\n`);
}
