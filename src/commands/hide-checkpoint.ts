/** Hide from List: hides lines of the view until they are shown again. */
import type { Command } from '../host/command';
import { pathsOf } from '../host/line-paths';

export const hideCheckpointCommand: Command = {
  id: 'coppice.hideCheckpoint',
  takesSeveral: true,
  run({ hidden }, args) {
    hidden.hide(pathsOf(args));
    return Promise.resolve();
  },
};
