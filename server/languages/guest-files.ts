import { fileURLToPath } from 'node:url';

/** The host path of a file of `guest/`: code of ours that runs inside the jail. */
export function guestFile(path: string): string {
  return fileURLToPath(new URL(`../../guest/${path}`, import.meta.url));
}
