/**
 * Kubernetes: a run is an Indexed Job, a pod for each part. Its pods see two volumes, of models and of records, and
 * nothing of this machine. What runs where, and what is tried again, Kubernetes decides.
 */
import { join } from 'node:path';
import { writeWhole } from '../engine/files/whole-file';
import type { ClusterRun } from './folder';
import { jobName, podPath, podThreads, readAsked } from './kubernetes/asked';
import { kubectl, NoKubectl } from './kubernetes/kubectl';
import { jobManifest, manifestText } from './kubernetes/manifest';
import { podsOf, queueOf, readJobs, readPods } from './kubernetes/queue';
import type { Scheduler } from './scheduler';

export const kubernetes: Scheduler = {
  name: 'kubernetes',
  place: podPath,
  threads: podThreads,
  write: async (folder, run) => [(await writeManifest(folder, run, allParts(run.parts))).file],
  scripts: () => [], // a manifest is written for each submission
  submit: async (folder, run, parts) => {
    const { file, name } = await writeManifest(folder, run, parts);
    // `create`, for `apply` would say that all is well where another run has a job of this name.
    await kubectl(['create', '-f', file, ...inNamespace(run)], `The job ${name} cannot be handed to Kubernetes`);
    return { id: name, parts, at: new Date().toISOString() };
  },
  queue: async (run) => {
    const names = run.submissions.map(({ id }) => id);
    if (names.length === 0) return { parts: new Map() };
    const get = (what: readonly string[], ...which: string[]): Promise<string> =>
      kubectl(['get', ...inNamespace(run), '-o', 'json', ...which, '--', ...what], 'Kubernetes cannot be asked');
    try {
      const jobs = readJobs(await get(['jobs', ...names], '--ignore-not-found'));
      const pods = readPods(await get(['pods'], '-l', podsOf(names)));
      return queueOf(run.submissions, jobs, pods);
    } catch (error) {
      if (error instanceof NoKubectl) return undefined;
      throw error;
    }
  },
  cancel: async (run, only) => {
    const ours = run.submissions.filter(({ parts }) => only !== 'gather' || parts.length === 0);
    if (ours.length === 0) return;
    const names = ours.map(({ id }) => id);
    // What a file names comes last, where nothing is an option.
    const how = ['--ignore-not-found', '--wait=false', '--cascade=background'];
    await kubectl(['delete', ...how, ...inNamespace(run), '--', 'job', ...names], 'The run cannot be cancelled');
  },
};

const allParts = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

const inNamespace = ({ asked: { namespace } }: ClusterRun): string[] =>
  namespace === undefined ? [] : [`--namespace=${namespace}`];

/** Where a manifest is written: the first is job.yaml, and each later submission has one of its own. */
async function writeManifest(
  folder: string,
  run: ClusterRun,
  parts: readonly number[],
): Promise<{ file: string; name: string }> {
  const asked = readAsked(run.asked, folder);
  const earlier = run.submissions.length;
  const name = jobName(asked.runFolder, earlier);
  const file = join(folder, earlier === 0 ? 'job.yaml' : `job-${earlier + 1}.yaml`);
  await writeWhole(file, manifestText(jobManifest(run, asked, name, parts)));
  return { file, name };
}
