/** Open in Checkpoint Editor: opens the files of the selected lines. */
import type { Command } from '../host/command';
import { pathsOf } from '../host/line-paths';
import { openInEditor } from '../editors/open-in-editor';

export const openInEditorCommand: Command = {
  id: 'coppice.openInEditor',
  takesSeveral: true,
  async run(_, args) {
    for (const path of pathsOf(args)) await openInEditor(path);
  },
};
