import { send } from '../api.ts';
import { saveFile } from './save-file.ts';

/** Saves an answer of the server as a file. Rejects with `ApiError`. */
export async function download(path: string, fileName: string): Promise<void> {
  const answer = await send(path);
  saveFile(fileName, await answer.blob());
}
