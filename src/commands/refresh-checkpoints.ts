/** Refresh Checkpoints: searches the workspace again and reads changed files. */
import type { Command } from '../host/command';

export const refreshCommand: Command = {
  id: 'coppice.refreshCheckpoints',
  async run({ library }) {
    for (const { path } of [...library.entries(), ...library.ggufs()]) library.forget(path);
    await library.rescan();
    const [checkpoints, ggufs] = [library.entries(), library.ggufs()].map((list) => list.map(({ path }) => path));
    return { checkpoints, adapters: library.adapters(), ggufs };
  },
};
