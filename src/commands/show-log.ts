/** Show Log: opens the Coppice channel of the Output panel. */
import type { Command } from '../host/command';

export const showLogCommand: Command = {
  id: 'coppice.showLog',
  run({ log }) {
    log.show();
    return Promise.resolve();
  },
};
