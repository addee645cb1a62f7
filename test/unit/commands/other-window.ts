/**
 * Another window of the same workspace: `node other-window.ts FOLDER SPEC` begins the job, changes the plan of "/m" and says
 * so. A message {end: true} ends the job, and its parent kills it.
 */
import { join } from 'node:path';
import { JobJournal } from '../../../src/host/jobs/job-journal';
import { SharedStore } from '../../../src/host/shared-store';
import { WindowJobs } from '../../../src/host/window-jobs';
import type { JobSpec } from '../../../src/protocol/jobs';
import { Plans } from '../../../src/state/plan';

const [folder, spec] = process.argv.slice(2);
const nothing = { get: () => undefined, update: () => Promise.resolve() };
const store = new SharedStore(join(folder, 'shared'), nothing);
const end = new JobJournal(store, new WindowJobs(join(folder, 'windows'))).begun(JSON.parse(spec) as JobSpec);
new Plans(store).set({ path: '/m', identity: 'm', blocks: 4 }, [2]);
process.on('message', () => {
  end();
  process.send?.('ended');
});
process.send?.('begun');
