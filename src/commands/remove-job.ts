/** Remove from Jobs…, the key Delete: discards what was stopped, deletes the records of finished runs, dismisses errors. */
import type { Command } from '../host/command';
import { linesOfKind } from '../host/jobs/job-arguments';
import { deleteRecordCommand } from './delete-record';
import { discardJobCommand } from './discard-job';

export const removeJobCommand: Command = {
  id: 'coppice.removeJob',
  async run(coppice, args, settle) {
    const left = linesOfKind(args, 'training', 'stopped', 'parts', 'failed');
    if (left.length > 0) await discardJobCommand.run(coppice, args, settle);
    await deleteRecordCommand.run(coppice, args, settle);
  },
};
