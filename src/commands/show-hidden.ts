/** Show Hidden: shows all hidden lines of the view. */
import type { Command } from '../host/command';

export const showHiddenCommand: Command = {
  id: 'coppice.showHidden',
  takesSeveral: true,
  run({ hidden }) {
    hidden.show();
    return Promise.resolve();
  },
};
