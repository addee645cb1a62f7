/** Asking for jobs that take longer than an answer may. */
import { formatSeconds } from '../../format/durations';
import { checkpointName, checkpointOf, jobWord } from '../../jobs/titles';
import { text } from '../../jobs/option';
import { l10n } from '../../l10n';
import { UserError } from '../../engine/errors';
import { answerText, inLine } from '../answer';
import type { DeskEntry } from '../desk';
import { inputSchema, readInput } from '../input';
import { cancelledWords, jobParts, progressWords } from '../job-answer';
import { failureText } from '../naming';
import type { AgentContext, AgentTool } from '../tool';

const id = text('id of a job that a tool returned: "score-1"', { required: true });

export const jobStatus: AgentTool = {
  name: 'coppice_job_status',
  title: () => l10n.t('Status of Jobs'),
  description:
    'Lists the jobs that you started with the other tools: whether they run, how far they are and how long they will still ' +
    'take. Answers at once. Use coppice_job_result to wait for one.',
  input: inputSchema({}),
  effect: 'reads',
  async run(input, { desk, budget, paths }) {
    await readInput('coppice_job_status', {}, input, paths);
    if (desk.all.length === 0) return 'No job was started. coppice_score and the other tools start jobs.';
    const rows = desk.all.map((job) => [job.id, inLine(subjectOf(job)), stateWords(job)]);
    return answerText([{ names: ['job', 'model', 'state'], rows }], budget);
  },
};

export const jobResult: AgentTool = {
  name: 'coppice_job_result',
  title: () => l10n.t('Result of a Job'),
  description:
    'Waits some seconds for a job, and returns its result, or how far it is. Ask again while it runs; the estimate says ' +
    'how long that will be.',
  input: inputSchema({ id }),
  effect: 'reads',
  async run(input, { desk, budget, paths, waitMs, signal }) {
    const given = await readInput('coppice_job_result', { id }, input, paths);
    const name = String(given.id);
    return answerText(jobParts((await desk.look(name, waitMs, signal)) ?? missing(name, desk)), budget);
  },
};

export const cancelJob: AgentTool = {
  name: 'coppice_cancel_job',
  title: () => l10n.t('Cancel Job'),
  description:
    'Cancels a running job that you started. Nothing of it is left behind, but for the finished steps of a recipe.',
  input: inputSchema({ id }),
  effect: 'computes',
  async run(input, { desk, paths, signal }) {
    const given = await readInput('coppice_cancel_job', { id }, input, paths);
    const name = String(given.id);
    if (!desk.cancel(name)) {
      const { state } = (await desk.look(name, 0, signal)) ?? missing(name, desk);
      return `${name} cannot be cancelled any more: it is ${state}.`;
    }
    const job = await desk.look(name, CANCEL_MS, signal);
    if (job === undefined || job.state === 'running') return `${name} will end at its next pause.`;
    return cancelledWords(job);
  },
};

/** A job ends between two runs of a graph. */
const CANCEL_MS = 3000;

/** The model of a job, or what a task works on. */
const subjectOf = (job: DeskEntry): string => ('spec' in job ? checkpointName(checkpointOf(job.spec)) : job.subject);

function stateWords(job: DeskEntry): string {
  const { state, started, ended, error } = job;
  const word = 'spec' in job ? jobWord(job.spec.kind) : job.title;
  if (state === 'running') return `${word}: ${progressWords(job)}`;
  const took = formatSeconds(((ended ?? started).getTime() - started.getTime()) / 1000);
  return `${word}: ${state} after ${took}${state === 'failed' ? `: ${inLine(failureText(error))}` : ''}`;
}

function missing(name: string, { all: jobs }: AgentContext['desk']): never {
  throw new UserError(
    `There is no job "${inLine(name)}"`,
    jobs.length === 0 ? 'no job was started' : `the jobs are ${jobs.map((job) => job.id).join(', ')}`,
    jobs.length === 0 ? 'Start one with another tool.' : 'Use one of these ids.',
  );
}
