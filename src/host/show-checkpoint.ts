/** Shows a new checkpoint in the view. */
import type { Coppice } from './coppice';

/** Lists and selects a checkpoint that a job has written. */
export async function showCheckpoint({ library, tree }: Coppice, path: string): Promise<void> {
  await library.rescan();
  if (!library.entries().some((entry) => entry.path === path)) await library.open(path);
  await tree.reveal(path);
}

/** Lists and selects a folder of ONNX models that a job has written. */
export async function showExport({ library, tree }: Coppice, path: string): Promise<void> {
  await library.showExport(path);
  await tree.reveal(path);
}
