import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** The built widget: one file whose name changes with its content. */
export interface WidgetFile {
  readonly file: string;
  /** For the attribute of the tag (SRI). */
  readonly integrity: string;
  readonly content: Buffer;
}

export interface WidgetFiles {
  /** Undefined where it was not built. Read once. */
  current(): Promise<WidgetFile | undefined>;
}

/** `directory` has the output of the widget's build with its `manifest.json`. */
export function createWidgetFiles(directory: string): WidgetFiles {
  let known: WidgetFile | undefined;
  return {
    async current() {
      known ??= await read(directory).catch(() => undefined);
      return known;
    },
  };
}

async function read(directory: string): Promise<WidgetFile> {
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Record<
    'file' | 'integrity',
    string
  >;
  const { integrity } = manifest;
  const file = basename(manifest.file);
  return { file, integrity, content: await readFile(join(directory, file)) };
}
