/** Show Error of a job that failed: the same notification as when it failed, with its actions. */
import type { Command } from '../host/command';
import { showFailure } from '../host/failure';
import { linesOfKind } from '../host/jobs/job-arguments';
import { runAgain } from '../host/jobs/rerun';

export const showJobErrorCommand: Command = {
  id: 'coppice.showJobError',
  run(coppice, args) {
    for (const { failed } of linesOfKind(args, 'failed'))
      showFailure(coppice, failed.error, (changes) => void runAgain(coppice, { ...failed.spec, ...changes }));
    return Promise.resolve();
  },
};
