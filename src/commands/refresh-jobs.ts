/** Refresh Jobs, and Show More: reads the folders of records again, or further back. */
import type { Command } from '../host/command';

export const refreshJobsCommand: Command = {
  id: 'coppice.refreshJobs',
  run: ({ jobs }) => jobs.readAgain(),
};

export const showMoreJobsCommand: Command = {
  id: 'coppice.showMoreJobs',
  run: ({ jobs }) => jobs.showMore(),
};
