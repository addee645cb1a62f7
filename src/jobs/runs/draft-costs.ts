/** What passes of the target and of drafts cost in the program that runs both: measured there in turns, or given. */
import { resolve } from 'node:path';
import { costsOf, type PassCosts, readCosts, TIMED_CONTEXT, TIMED_ROWS, TIMED_RUNS } from '../../engine/draft/costs';
import { timeFiles } from '../../engine/draft/onnx-places';
import type { WrittenText } from '../../engine/draft/places';
import { RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { UserError } from '../../engine/errors';
import { onnxruntimeVersion } from '../../engine/onnx/session';
import { option, set } from '../../engine/option-token';
import { type JobOptions, Work } from '../../engine/progress';
import type { Failed } from '../../engine/verify/consumers/run';
import { measureCostsIn } from '../../engine/verify/consumers/pairs';
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

/** @throws UserError where the program is missing or fails; CancelledError */
export async function measureCosts(
  options: Options,
  target: Shipped,
  drafts: readonly Shipped[],
  { prompt, ids }: WrittenText,
  job: JobOptions,
): Promise<MeasuredCosts> {
  const text = [...prompt, ...ids];
  const isOnnx = RUNTIME_FACTS[options.for].format === 'onnx';
  const found = options.consumers === true ? await timeInProgram(options, target, drafts, text, job) : undefined;
  if (found && !('failure' in found)) return found;
  // onnxruntime-genai runs what onnxruntime runs.
  if (isOnnx && found === undefined) return timeInOnnxruntime(options, target, drafts, text, job);
  throw new UserError(
    `What passes cost in ${RUNTIME_FACTS[options.for].title} could not be measured`,
    found?.failure ?? 'it is not installed where programs are looked for',
    `Name the folder that has it with ${option('consumersFrom', 'DIR')}, or give ${option('costs', 'FILE')}.`,
  );
}

/** Undefined where the program is not installed. */
async function timeInProgram(
  { for: runtime, consumersFrom: from, threads }: Options,
  target: Shipped,
  drafts: readonly Shipped[],
  text: readonly number[],
  job: JobOptions,
): Promise<MeasuredCosts | Failed | undefined> {
  const prompt = Array.from({ length: TIMED_CONTEXT }, (_, i) => text[i % text.length]);
  const timed = {
    ...{ target: resolve(target.path), drafts: drafts.map(({ path }) => resolve(path)) },
    ...{ rows: TIMED_ROWS, runs: TIMED_RUNS, prompt },
  };
  const found = await measureCostsIn(runtime, timed, { from, threads }, job);
  if (found === undefined || 'failure' in found) return found;
  const { name, version, target: times } = found;
  const costs = costsOf({ rows: times.rows, target: times.seconds, drafts: found.drafts });
  return { ...costs, measuredIn: version === undefined ? name : `${name} ${version}` };
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
