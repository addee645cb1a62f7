/** Open in Coppice: adds a folder or file of the Explorer to the view. */
import type { Command } from '../host/command';
import { openCheckpointCommand } from './open-checkpoint';

export const openFromExplorerCommand: Command = {
  id: 'coppice.openFromExplorer',
  run: openCheckpointCommand.run,
};
