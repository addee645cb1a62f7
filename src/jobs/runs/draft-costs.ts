/** What passes of the target and of drafts cost in the program that runs both: measured there in turns, or given. */
import { costsOf, type PassCosts, readCosts, TIMED_RUNS } from '../../engine/draft/costs';
import { timeFiles } from '../../engine/draft/onnx-places';
import type { WrittenText } from '../../engine/draft/places';
import { RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { UserError } from '../../engine/errors';
import { onnxruntimeVersion } from '../../engine/onnx/session';
import { option, set } from '../../engine/option-token';
import { type JobOptions, Work } from '../../engine/progress';
import { type OnnxReader, openOnnxReader } from '../../engine/verify/onnx-reader';
import type { OptionsFor } from '../kinds';
import type { Shipped } from './draft-models';

type Options = OptionsFor<'draft'>;

export interface MeasuredCosts extends PassCosts {
  /** The program that was timed, with its version; undefined where they were given. */
  readonly measuredIn?: string;
}

/** Refuses where costs can neither be read nor measured, before anything is computed. @throws UserError */
export async function givenCosts(options: Options): Promise<PassCosts | undefined> {
  const { costs, consumers, for: runtime } = options;
  if (costs !== undefined) return readCosts(costs);
  const { format, title } = RUNTIME_FACTS[runtime];
  if (format === 'onnx' || consumers === true) return undefined;
  throw new UserError(
    `What passes cost in ${title} is not known`,
    'Coppice measures it in the program itself, and starts no other program unless it is asked to',
    `${set('consumers', true, 'add')} (and ${option('consumersFrom', 'DIR')}, a folder with the program), or give ${option('costs', 'FILE')}.`,
  );
}

/** @param ids a text of the target @throws UserError where the program is missing or fails; CancelledError */
export async function measureCosts(
  options: Options,
  target: Shipped,
  drafts: readonly Shipped[],
  { prompt, ids }: WrittenText,
  job: JobOptions,
): Promise<MeasuredCosts> {
  return timeInOnnxruntime(options, target, drafts, [...prompt, ...ids], job);
}

async function timeInOnnxruntime(
  { threads }: Options,
  target: Shipped,
  drafts: readonly Shipped[],
  ids: readonly number[],
  job: JobOptions,
): Promise<MeasuredCosts> {
  const work = new Work(job, TIMED_RUNS + 1, 'rounds', 'timing passes');
  const open: OnnxReader[] = [];
  try {
    for (const { file, name } of [target, ...drafts]) open.push(await openOnnxReader(file, name, threads));
    const times = await timeFiles(open[0], open.slice(1), ids, TIMED_RUNS, work, job.signal);
    return { ...costsOf(times), measuredIn: `onnxruntime ${onnxruntimeVersion()}` };
  } finally {
    for (const reader of open) await reader.close();
  }
}
