import { send } from '../api.ts';

/** Saves an answer of the server as a file. Rejects with `ApiError`. */
export async function download(path: string, fileName: string): Promise<void> {
  const answer = await send(path);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}
