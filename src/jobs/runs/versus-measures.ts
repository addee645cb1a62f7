/** What is measured of the models of a comparison: perplexity on the same rows, speed in turns, accuracy on the same items. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { reportedOf } from '../../engine/evaluate/tasks/accuracy';
import { lossesOfViews } from '../../engine/evaluate/views';
import { summariseLosses } from '../../engine/importance/losses';
import type { TokenRows } from '../../engine/model/forward';
import { openForComputing, withModel } from '../../engine/model/opened';
import { removedFrom, viewWithout } from '../../engine/model/view';
import type { DeviceReport } from '../../engine/onnx/device';
import { inPhases, type JobOptions, labelled } from '../../engine/progress';
import type { GridResult } from '../results/grid';
import type { VersusModel } from '../results/versus';
import type { LabelledModel } from '../option';
import { type JobContext, modelOptions } from '../run';
import type { Candidate, VersusOptions } from './versus-models';

/** A candidate that can be opened. */
export type Able = Candidate & { readonly column: LabelledModel };

export const isAble = (candidate: Candidate): candidate is Able => candidate.column !== undefined;

/** Receives what is found of a model as it is found, so that it is there when the run is cancelled. */
export type Tell = (model: Able, found: Partial<VersusModel>) => void;

/**
 * Models without blocks share what they have in common, in one pass; narrower ones follow one by one.
 * @param onDevice called once the first of them are told
 * @throws CancelledError
 */
export async function measurePerplexities(
  checkpoint: Checkpoint,
  able: readonly Able[],
  rows: TokenRows,
  options: VersusOptions,
  context: JobContext,
  job: JobOptions,
  tell: Tell,
  onDevice: (device: DeviceReport) => void,
): Promise<void> {
  const compute = modelOptions(options, context);
  const views = able.filter(({ model }) => model.kind !== 'width');
  const narrow = able.filter(({ model }) => model.kind === 'width');
  const jobs = inPhases(job, [{ share: views.length }, ...narrow.map(() => ({ share: 1 }))]);
  const blocks = checkpoint.architecture!.layers.length;
  await withModel(checkpoint, compute, async (model) => {
    const seen = views.map(({ model: { removed } }) => viewWithout(blocks, removedFrom(removed, blocks)));
    const losses = await lossesOfViews(model, rows, seen, labelled(jobs[0], 'perplexity without blocks'));
    views.forEach((each, at) => {
      const { ppl, meanNll } = summariseLosses(losses[at], rows[0].length - 1);
      tell(each, { ppl, meanNll });
    });
    onDevice(model.device);
  });
  for (const [at, each] of narrow.entries()) {
    const own = labelled(jobs[1 + at], `perplexity of ${each.model.label}`);
    const { checkpoint: narrowed, view } = await openForComputing(each.column.checkpoint, each.column, own);
    const { ppl, meanNll } = await withModel(narrowed, compute, (model) => perplexityOfRows(model, rows, view, own));
    tell(each, { ppl, meanNll });
  }
}

/** Speed and memory of all models in one run of the job `grid`. @throws CancelledError */
export async function measureSpeed(
  able: readonly Able[],
  options: VersusOptions,
  { run }: Pick<JobContext, 'run'>,
  job: JobOptions,
  tell: Tell,
): Promise<GridResult> {
  const { batch, newTokens, runs, warmup, prompt, bos, device, threads, memory } = options;
  const columns = able.map(({ column }) => column);
  const given = { columns, batch: [batch], newTokens: [newTokens], runs, warmup, prompt, bos, device, threads, memory };
  const { result } = await run('grid', given, { job });
  able.forEach((each, at) => {
    const { cells, failure } = result.models[at];
    const [cell] = cells;
    const { measured } = cell ?? {};
    const oom = cell?.outcome === 'oom' ? 'it is predicted not to fit into memory' : undefined;
    const why = failure ?? cell?.failure ?? oom;
    tell(each, {
      ...(measured && {
        latency: measured.latency,
        throughput: measured.throughput,
        memoryBytes: cell.predicted.total - cell.predicted.fixed,
        speedUp: measured.speedUp,
      }),
      ...(why !== undefined && { speedFailure: why }),
    });
  });
  return result;
}

/** New tokens of a continuation: enough to see whether a model still writes sentences. */
const CONTINUED = 40;

/** What each model makes of a prompt, in one run of the job `samples`. @throws CancelledError */
export async function writeContinuations(
  able: readonly Able[],
  prompt: string,
  { device, threads, memory }: VersusOptions,
  { run }: Pick<JobContext, 'run'>,
  job: JobOptions,
  tell: Tell,
): Promise<void> {
  const columns = able.map(({ column }) => column);
  const compute = { device, threads, memory, precision: 'float32' } as const;
  const given = { columns, prompts: [prompt], maxNewTokens: CONTINUED, greedy: true, ...compute };
  const { result } = await run('samples', given, { job });
  for (const { column, text } of result.samples) if (text !== null) tell(able[column], { continuation: text });
}

/** Accuracies in one run of the job `tasks`. @throws CancelledError */
export async function measureAccuracies(
  able: readonly Able[],
  options: VersusOptions,
  { run }: Pick<JobContext, 'run'>,
  job: JobOptions,
  tell: Tell,
): Promise<void> {
  const { data, tasks, own, items, answers, bos, device, threads, memory } = options;
  const columns = able.map(({ column }) => column);
  const given = { columns, data, tasks, own, limit: items, answers, bos, device, threads, memory };
  const { result } = await run('tasks', given, { job });
  const models = 'models' in result ? result.models : [result];
  const differences = 'models' in result ? result.differences : [];
  able.forEach((each, at) => {
    const paired = differences.at(at - 1)?.average;
    tell(each, {
      accuracy: models[at].average!, // tasks were asked
      ...(at > 0 && paired && { difference: { difference: paired.difference, interval: paired.interval } }),
      tasks: models[at].tasks.map((task) => ({ name: task.name, accuracy: reportedOf(task) })),
    });
  });
}
