/**
 * SkyPilot: a run is a task file, which its user launches. Nodes see two buckets, of models and of records, and nothing of this
 * machine. SkyPilot finds the machines, and starts one command on each of them.
 */
import { join } from 'node:path';
import { UserError } from '../engine/errors';
import { writeWhole } from '../engine/files/whole-file';
import { jobName } from './kubernetes/asked';
import type { Scheduler } from './scheduler';
import { nodePath, nodeThreads, readAsked } from './skypilot/asked';
import { TASK_FILE, taskOf, taskText } from './skypilot/task';

export const skypilot: Scheduler = {
  name: 'skypilot',
  place: nodePath,
  threads: nodeThreads,
  write: async (folder, run) => {
    const asked = readAsked(run.asked, folder);
    const file = join(folder, TASK_FILE);
    await writeWhole(file, taskText(taskOf(run, asked, jobName(asked.runFolder, 0))));
    return [file];
  },
  scripts: () => [],
  launch: (folder) => `sky launch ${join(folder, TASK_FILE)}`,
  submit: () => Promise.reject(notFromHere('The task was not launched')),
  // Only the folder tells.
  queue: () => Promise.resolve(undefined),
  cancel: () => Promise.reject(notFromHere('The run cannot be cancelled')),
};

const notFromHere = (what: string): UserError =>
  new UserError(
    what,
    'SkyPilot starts and ends machines that cost money, so Coppice only writes the task',
    `Add --write, then launch the file with \`sky launch ${TASK_FILE}\`, and end its machines with \`sky down\`.`,
  );
