import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PortalFile, createPortalFiles } from '../portal/portal-files.ts';

/** The built widget: one file whose name changes with its content. */
export interface WidgetFile {
  readonly file: string;
  /** For the attribute of the tag (SRI). */
  readonly integrity: string;
}

export interface WidgetFiles {
  /** Undefined where it was not built. Read once. */
  current(): Promise<WidgetFile | undefined>;
  /** Of this version or of an earlier one: pages pin what they embed, and an upgrade must not take it from them. */
  named(file: string): Promise<PortalFile | undefined>;
}

/** `directory` has the output of the widget's build with its `manifest.json`. */
export function createWidgetFiles(directory: string): WidgetFiles {
  const files = createPortalFiles(directory);
  let known: WidgetFile | undefined;
  return {
    async current() {
      known ??= await read(directory).catch(() => undefined);
      return known;
    },
    named: async (file) => (await files.all()).get(`/${file}`),
  };
}

async function read(directory: string): Promise<WidgetFile> {
  const { file, integrity } = JSON.parse(
    await readFile(join(directory, 'manifest.json'), 'utf8'),
  ) as WidgetFile;
  return { file, integrity };
}
