/** The view after a job has written a checkpoint. */
import type { Coppice } from './coppice';

/** Lists a checkpoint that was just written, and selects it. */
export async function showCheckpoint({ library, tree }: Coppice, path: string): Promise<void> {
  await library.rescan();
  if (!library.entries().some((entry) => entry.path === path)) await library.open(path);
  await tree.reveal(path);
}
