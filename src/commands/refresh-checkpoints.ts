/** Refresh Checkpoints: searches the workspace again and reads changed files. */
import type { Command } from '../host/command';

export const refreshCommand: Command = {
  id: 'coppice.refreshCheckpoints',
  async run({ library }) {
    for (const { path } of library.entries()) library.forget(path);
    await library.rescan();
    return { checkpoints: library.entries().map(({ path }) => path), adapters: library.adapters() };
  },
};
