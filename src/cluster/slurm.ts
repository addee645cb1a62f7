/** Slurm: a run is an array job, one task for a part, and a job that gathers after it. */
import { UserError } from '../engine/errors';
import { option } from '../engine/option-token';
import { writeWhole } from '../engine/files/whole-file';
import { numberRanges } from '../format/ranges';
import type { ClusterRun, Submission } from './folder';
import type { Queue, Queued, Scheduler } from './scheduler';
import { runSlurm, type Said, slurmConfiguration } from './slurm-commands';
import { checkAsked, submitEnvironment } from './slurm-options';
import { gatherScript, gatherScriptText, partScript, partScriptText } from './slurm-script';

export const slurm: Scheduler = {
  name: 'slurm',
  async write(folder, run) {
    // A Slurm that does not count memory refuses jobs that ask for some.
    const isCounted = run.estimate === undefined || (await slurmConfiguration())?.countsMemory !== false;
    const [parts, gather] = [partScriptText, gatherScriptText].map((text) => text(folder, run, isCounted));
    await writeWhole(partScript(folder), parts);
    await writeWhole(gatherScript(folder), gather);
    return [partScript(folder), gatherScript(folder)];
  },
  scripts: (folder) => [partScript(folder), gatherScript(folder)],
  submit,
  async queue(run) {
    const rows = await rowsOf(idsOf(run));
    return rows && queueOf(run, rows);
  },
  async cancel(run, only) {
    const ids = run.submissions.flatMap(({ id, gather }) => [
      ...(only ? [] : [id]),
      ...(gather === undefined ? [] : [gather]),
    ]);
    await cancelJobs(ids);
  },
  threads: (asked) => (/^\d+$/.test(asked['cpus-per-task'] ?? '') ? Number(asked['cpus-per-task']) : undefined),
};

/** Takes those of the jobs that still live out of Slurm's hands. @throws UserError */
export async function cancelJobs(ids: readonly string[]): Promise<void> {
  const what = 'The run cannot be cancelled';
  const rows = await rowsOf(ids);
  if (!rows) throw unreachable(what);
  const living = new Set(rows.filter(isAlive).map(({ id }) => id));
  const ended = [...new Set(ids)].filter((id) => living.has(id));
  if (ended.length === 0) return;
  const said = await runSlurm('scancel', ['--', ...ended]);
  if (said.code !== 0) throw refusal(what, 'scancel', said);
}

async function submit(folder: string, run: ClusterRun, parts: readonly number[]): Promise<Submission> {
  checkAsked(run.asked);
  const env = submitEnvironment(run.asked);
  const at = new Date().toISOString();
  // The gather waits for parts of earlier submissions that still run; if these fail, it says what is missing.
  const rows = run.submissions.length > 0 ? ((await rowsOf(idsOf(run))) ?? []) : [];
  const arrays = new Set(run.submissions.filter((each) => each.parts.length > 0).map(({ id }) => id));
  const living = new Set(rows.filter((row) => isAlive(row) && arrays.has(row.id)).map(({ id }) => id));
  const waits = [...living].map((id) => `afterany:${id}`);
  let id: string | undefined;
  if (parts.length > 0) {
    await checkArraySize(Math.max(...parts));
    id = await sbatch(['--array', arrayOf(parts), partScript(folder)], env);
    waits.unshift(`afterok:${id}`);
  }
  try {
    const gather = await sbatch([...afterWords(waits), gatherScript(folder)], env);
    return { id: id ?? gather, gather, parts, at };
  } catch (error) {
    if (id !== undefined) await runSlurm('scancel', ['--', id]);
    throw error;
  }
}

/** @param waits such as "afterok:12": a job whose condition can never hold is removed, and does not stay in the queue */
export const afterWords = (waits: readonly string[]): string[] =>
  waits.length > 0 ? [`--dependency=${waits.join(',')}`, '--kill-on-invalid-dep=yes'] : [];

/** @returns the job's number @throws UserError */
export async function sbatch(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const said = await runSlurm('sbatch', ['--parsable', ...args], env);
  const what = 'The parts cannot be submitted';
  if (said.code !== 0) throw refusal(what, 'sbatch', said);
  const id = /^(\d{1,10})\s*$/.exec(said.out)?.[1];
  if (id === undefined) throw strange('sbatch', said.out);
  return id;
}

/** Slurm numbers the tasks of an array below a limit of its administrator. @throws UserError beyond it */
export async function checkArraySize(most: number): Promise<void> {
  const limit = (await slurmConfiguration())?.maxArraySize;
  if (limit === undefined || most < limit) return; // sbatch says it better, also that Slurm is not there
  throw new UserError(
    `This Slurm takes no array of ${most} parts`,
    `its configuration has MaxArraySize=${limit}, so the last part can be number ${Math.max(0, limit - 1)}`,
    `Take fewer parts, or ask its administrator. Without Slurm's arrays, run parts with ${option('part', `1/${most}`)} and so on.`,
  );
}

/** "1-3,7" */
export const arrayOf = (parts: readonly number[]): string =>
  numberRanges([...parts].sort((a, b) => a - b)).replaceAll(' ', '');

/** A line of squeue: a task of an array, or a job that is none. */
export interface Row extends Queued {
  readonly id: string;
  /** Undefined of a job that is no array. */
  readonly task?: number;
}

export const isAlive = ({ state }: Row): boolean => state !== 'ended';

const idsOf = ({ submissions }: ClusterRun): string[] =>
  submissions.flatMap(({ id, gather }) => (gather === undefined ? [id] : [id, gather]));

/** Everything that Slurm remembers of some jobs. @returns undefined if it cannot be asked @throws UserError */
export async function rowsOf(jobs: readonly string[]): Promise<Row[] | undefined> {
  const ids = [...new Set(jobs)];
  if (ids.length === 0) return [];
  // Variables of the user can filter and shape what squeue prints.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SQUEUE_')));
  const format = '%F|%K|%T|%r|%N';
  const said = await runSlurm('squeue', ['-h', '-r', '-t', 'all', '-o', format, '-j', ids.join(',')], env);
  if (said.code === 0) return parseRows(said.out);
  // Of a single job that is long gone.
  return said.complaint.includes('Invalid job id specified') ? [] : undefined;
}

/** @throws UserError for lines that are not what was asked for */
export function parseRows(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, id, task, state, reason, host] = /^(\d+)\|(\d+|N\/A)\|([A-Z_]+)\|([^|]*)\|([^|]*)$/.exec(line) ?? [];
      if (id === undefined) throw strange('squeue', line);
      const number = task === 'N/A' ? {} : { task: Number(task) };
      return { id, ...number, ...queuedOf(state, reason), ...(host !== '' && { host }) };
    });
}

const WAITING = new Set(['PENDING', 'REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'SPECIAL_EXIT', 'RESV_DEL_HOLD']);
const RUNNING = new Set([
  ...['RUNNING', 'COMPLETING', 'CONFIGURING', 'RESIZING', 'SIGNALING', 'STAGE_OUT', 'STOPPED', 'SUSPENDED'],
]);

function queuedOf(state: string, reason: string): Queued {
  const why = reason === '' || reason === 'None' ? {} : { reason };
  if (WAITING.has(state)) return { state: 'waiting', ...why };
  if (RUNNING.has(state)) return { state: 'running' };
  // The state of one that failed by itself says nothing more.
  return { state: 'ended', ...(state !== 'COMPLETED' && state !== 'FAILED' && { reason: state }) };
}

/** Of a part that was submitted several times, what still lives counts, else the last. */
export function queueOf({ submissions }: Pick<ClusterRun, 'submissions'>, rows: readonly Row[]): Queue {
  const parts = new Map<number, Queued>();
  let gather: Queued | undefined;
  for (const submission of submissions) {
    for (const { id, task, ...queued } of rows) {
      if (id === submission.id && task !== undefined) {
        const before = parts.get(task);
        if (!before || before.state === 'ended' || queued.state !== 'ended') parts.set(task, queued);
      }
      if (id === submission.gather) gather = queued;
    }
  }
  return { parts, ...(gather && { gather }) };
}

function refusal(what: string, program: string, { code, complaint }: Said): UserError {
  if (code === 'missing') return unreachable(what);
  const why = complaint || `${program} ended with ${code}`;
  return new UserError(what, `${program} says: ${why}`, 'Change the options, or ask the administrator of the cluster.');
}

const unreachable = (what: string): UserError =>
  new UserError(
    what,
    'Slurm cannot be asked from this machine',
    'Run this on a machine of the cluster where sbatch and squeue work.',
  );

const strange = (program: string, text: string): UserError =>
  new UserError(
    `${program} gives an answer that Coppice does not know`,
    JSON.stringify(text.slice(0, 100)),
    'Report it with the version of Slurm.',
  );
