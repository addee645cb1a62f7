/** Questions to the user: what a tool reads and writes, how large it is, how long it takes. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { type AskedJob, timeOf } from '../estimates/job';
import type { Time } from '../estimates/machine';
import { openModels } from '../estimates/models';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import { checkpointReduction } from '../engine/checkpoint/reduction';
import type { Checkpoint } from '../engine/checkpoint/types';
import { codeSpan, inline } from '../engine/markdown';
import { formatBytes } from '../format/numbers';
import { checkpointName } from '../jobs/titles';
import { l10n } from '../l10n';
import { machineMemory, memoryOf } from '../estimates/memory';
import { markedTime, memoryWords } from '../estimates/words';
import type { AgentContext, Confirmation } from './tool';

/** Below, a job that writes nothing starts without a question. */
const QUICK_SECONDS = 60;

/** A model of an input. */
export interface Opened {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
}

/** @throws UserError for a model that Coppice cannot compute with */
export async function opened(path: string, signal: AbortSignal): Promise<Opened> {
  const checkpoint = await openCheckpoint(path, signal);
  return { checkpoint, architecture: requireArchitecture(checkpoint) };
}

export const nameOf = ({ path }: Checkpoint): string => inline(checkpointName(path));

/** "`./model` (269.1 MB)" */
export const modelWords = (checkpoint: Checkpoint): string =>
  `${codeSpan(checkpoint.path)} (${formatBytes(checkpointReduction(checkpoint, []).bytesBefore)})`;

type Machine = Pick<AgentContext, 'speeds'>;

/** How long a job will take; undefined where an input is missing: the job says so. */
export const expectedTime = async (job: AskedJob, { speeds }: Machine): Promise<Time | undefined> =>
  timeOf(job, await openModels(job.options), speeds);

/** "It takes up to 1.2 GB of memory." */
async function memoryLines(job: AskedJob): Promise<string[]> {
  const bytes = memoryOf(job, await openModels(job.options), machineMemory());
  return bytes === undefined ? [] : [l10n.t('It takes {0}.', memoryWords(bytes))];
}

/** The question of a job that only computes; undefined if it is quick. */
export async function askComputing(
  title: string,
  lines: readonly string[],
  job: AskedJob,
  context: Machine,
): Promise<Confirmation | undefined> {
  const time = await expectedTime(job, context);
  if (time === undefined || time.seconds < QUICK_SECONDS) return undefined;
  return question(title, [
    ...lines,
    l10n.t('Expected time: {0}.', markedTime(time)),
    ...(await memoryLines(job)),
    l10n.t('Nothing is written but a record of the run.'),
  ]);
}

/** The question of a job that writes. */
export async function askWriting(
  title: string,
  lines: readonly string[],
  { out, bytes, job }: Writing,
  context: Machine,
): Promise<Confirmation> {
  const time = await expectedTime(job, context);
  return question(title, [
    ...lines,
    bytes === undefined
      ? l10n.t('Writes {0}.', codeSpan(out))
      : l10n.t('Writes {0}, about {1}.', codeSpan(out), formatBytes(bytes)),
    ...(time ? [l10n.t('Expected time: {0}.', markedTime(time))] : []),
    ...(await memoryLines(job)),
    l10n.t('The source never changes, and nothing is overwritten.'),
  ]);
}

interface Writing {
  readonly out: string;
  readonly bytes?: number;
  readonly job: AskedJob;
}

/** Each line is a paragraph. */
const question = (title: string, lines: readonly string[]): Confirmation => ({ title, message: lines.join('\n\n') });
