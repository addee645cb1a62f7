/** Prunes a model in width, measures the narrower model, and writes it or what it keeps. */
import { type AskedRows, askedRows, fitWarning, textFit } from '../../engine/importance/text-fit';
import { withShare } from '../../format/text-share';
import { foldersOf } from '../../engine/checkpoint/folders';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Architecture } from '../../engine/checkpoint/architecture';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { narrowCheckpoint } from '../../engine/checkpoint/width';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { checkTarget } from '../../engine/files/target';
import { type Calibration, calibrationWarnings, loadCalibration } from '../../engine/importance/calibration';
import { withoutRows } from '../../engine/importance/run-criterion';
import { checkedRange } from '../../engine/importance/width/llm-pruner';
import { measureWidth, requireReachable, type WidthChoice } from '../../engine/importance/width/measure';
import { type BlockRange, WIDTH_DEFAULTS, type WidthAmount } from '../../engine/importance/width/methods';
import { parametersWithout } from '../../engine/importance/width/size';
import { withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { renderOptions, TERMINAL_NAMING } from '../../engine/option-token';
import { inPhases } from '../../engine/progress';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import { modelName } from '../../engine/records/record';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { withWeights } from '../../engine/weights/checkpoint';
import { saveWidth } from '../../engine/weights/width-file';
import { type GgufWritten, planGguf, writeGguf } from '../../engine/write/gguf/write-gguf';
import { writeWidth } from '../../engine/write/width';
import type { WidthResult } from '../results/width';
import { width as definition } from '../definitions/width';
import { checkFileTarget, refuseExisting } from '../file-target';
import type { OptionsFor } from '../kinds';
import { storedDtype } from '../options/output';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince } from '../run';

type Options = OptionsFor<'width'>;

export async function runWidth(options: Options, context: JobContext): Promise<RunEnd<WidthResult>> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  const { method } = options;
  const range = method === 'llm-pruner' ? checkedRange(architecture.layers.length, rangeOf(options)) : undefined;
  const amount = amountOf(options, architecture);
  requireReachable(architecture, { ...options, range }, amount);
  await checkOutputs(options, checkpoint);
  const { calibration, asked } = await calibrationOf(options, checkpoint, context);
  const compute = modelOptions(options, context);
  const [measuring, selecting, evaluating] = inPhases(context.job, phasesOf(options));
  const { rows } = calibration;
  const { choice, device, pruningSeconds } = await withModel(checkpoint, compute, async (model) => {
    const begun = fitWarning(await textFit(model, rows, asked.id, context.job), asked);
    if (begun !== undefined) context.warn(begun);
    const clock = performance.now();
    const measured = await measureWidth(model, rows, { ...options, range }, measuring);
    const chosen = await measured.select(amount, selecting);
    return { choice: chosen, device: model.device, pruningSeconds: secondsSince(clock) };
  });
  const narrow = narrowCheckpoint(checkpoint, choice.width);
  const { meanNll, ppl, warning } = await withModel(narrow, compute, (model) =>
    perplexityOfRows(model, rows, fullView(architecture.layers.length), evaluating),
  );
  const found = [...choice.warnings, ...(warning === undefined ? [] : [warning])];
  found.forEach(context.warn);
  // Results and records are the same whoever runs the job.
  const warnings = found.map((text) => renderOptions(text, TERMINAL_NAMING));
  const target = 'parameters' in amount ? amount.parameters : null;
  const facts = { meanNll, ppl, warnings };
  const details = detailsOf(checkpoint, options, {
    inputs: [
      { role: 'calibration', name: calibration.source, sha256: calibration.sha256, ...withShare(calibration.share) },
    ],
    settings: settingsOf(options, { range, choice, target, calibration }),
    seed: options.seed,
    device,
  });
  const written = await write({ options, narrow, choice, calibration, details, facts }, context);
  const { ratio, parametersBefore, parametersAfter, width, threshold = null } = choice;
  const { layers } = width;
  const common = {
    ...{ method, ratio, target, parametersBefore, parametersAfter, meanNll, ppl, layers, threshold, warnings },
    ...{
      ...written,
      seconds: secondsSince(start),
      pruningSeconds,
      device: device.provider,
      precision: 'float32' as const,
    },
  };
  return { result: common, results: { ...common, layers: countedLayers(choice) }, run: details };
}

/** Numbers of kept neurons in place of lists: a record is read by people. */
const countedLayers = ({ width: { layers } }: WidthChoice) =>
  layers.map(({ groups, neurons }) => ({ groups, neurons: neurons.length }));

const rangeOf = ({ range }: Options): BlockRange | undefined =>
  range && { first: range[0], last: range[range.length - 1] };

/** @throws UserError for blocks that the model does not have */
function amountOf({ ratio, targetParams, asLargeAs }: Options, architecture: Architecture): WidthAmount {
  if (ratio !== undefined) return { ratio };
  if (targetParams !== undefined) return { parameters: targetParams };
  return { parameters: parametersWithout(architecture, asLargeAs!) };
}

/** Refuses outputs that could not be written, before the work starts. */
async function checkOutputs({ checkpoint: path, out, save, gguf }: Options, checkpoint: Checkpoint): Promise<void> {
  if (out !== undefined) await checkTarget(out, foldersOf(checkpoint));
  if (save !== undefined) await checkNewFile('what is kept', save, path);
  if (gguf === undefined) return;
  await checkNewFile('the GGUF file', gguf, path);
  // Most of what llama.cpp cannot run, it cannot run in the full width either.
  await withWeights(checkpoint, (weights) => planGguf(checkpoint, weights));
}

async function checkNewFile(what: string, file: string, source: string): Promise<void> {
  await checkFileTarget(what, file, source);
  await refuseExisting(file, 'Name another file.');
}

async function calibrationOf(
  options: Options,
  checkpoint: Checkpoint,
  { job, warn }: JobContext,
): Promise<{ readonly calibration: Calibration; readonly asked: AskedRows }> {
  const { samples, length, seed, share, bos } = options;
  const { vocabulary, context, bosTokenId } = requireArchitecture(checkpoint);
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  const drawing = { samples, length, seed, share, vocabulary, bos, bosTokenId };
  const calibration = await loadCalibration(options.calibration, drawing, tokenizer);
  calibrationWarnings(calibration, options, context).forEach(warn);
  return { calibration, asked: askedRows(bos, calibration.bos, { tokenizer, bosTokenId }) };
}

/** Applications of the model, about: forward and backward passes to measure, and what a choice and the loss take. */
function phasesOf({ method }: Options): { readonly share: number }[] {
  const shares = { 'llm-pruner': [4, 0.1, 1], flap: [1, 0.3, 1], 'wanda-sp': [0, 2, 1] } as const;
  return shares[method].map((share) => ({ share }));
}

interface Settled {
  readonly range: BlockRange | undefined;
  readonly choice: WidthChoice;
  readonly target: number | null;
  readonly calibration: Calibration;
}

/** The settings of the method alone, with its defaults. */
function settingsOf(options: Options, { range, choice, target, calibration }: Settled): Record<string, unknown> {
  const { method, salience, structure, metric, asLargeAs } = options;
  const own = {
    'llm-pruner': { range: range && `${range.first}-${range.last}`, salience: salience ?? WIDTH_DEFAULTS.salience },
    flap: { structure: structure ?? WIDTH_DEFAULTS.structure, metric: metric ?? WIDTH_DEFAULTS.metric },
    'wanda-sp': {},
  }[method];
  const { compensation, ...recorded } = recordedOptions(definition, options);
  return {
    ...recorded,
    ratio: choice.ratio,
    target,
    asLargeAs,
    ...own,
    ...(method === 'flap' && { compensation }),
    calibration: withoutRows(calibration),
  };
}

interface Written {
  readonly options: Options;
  readonly narrow: Checkpoint;
  readonly choice: WidthChoice;
  readonly calibration: Calibration;
  readonly details: RunDetails;
  readonly facts: Pick<WidthResult, 'warnings'> & { readonly meanNll: number; readonly ppl: number };
}

async function write(
  { options: { method, out, dtype, save, gguf }, narrow, choice, calibration, details, facts }: Written,
  { job, started, note }: JobContext,
): Promise<Pick<WidthResult, 'out' | 'save' | 'gguf' | 'leftBehind' | 'loading'>> {
  const { source, sha256 } = calibration;
  const { ratio, parametersAfter } = choice;
  const origin = {
    method,
    texts: [{ name: source, sha256 }],
    facts: { ratio, parameters: parametersAfter, perplexity: facts.ppl },
  };
  const saved = save === undefined ? null : await saveWidth(save, narrow, origin);
  const exported = gguf === undefined ? undefined : await exportGguf(narrow, gguf, { method, dtype, job });
  exported?.notes.forEach(note);
  const files = { save: saved, gguf: exported?.file ?? null };
  if (out === undefined) return { out: null, ...files };
  const written = await writeWidth(narrow, out, {
    ...job,
    dtype: storedDtype(dtype),
    facts: { method, ratio, calibration: [source], ...facts },
    provenance: { ...details, inputs: details.inputs.slice(1), started }, // the model is the first input
  });
  for (const { name, why } of written.leftBehind) note(`${name} was not copied: ${why}`);
  return { out: written.out, ...files, leftBehind: written.leftBehind, loading: written.loading };
}

/** The narrower model, as llama.cpp runs it. */
const exportGguf = (
  narrow: Checkpoint,
  file: string,
  { method, dtype, job }: Pick<Options, 'method' | 'dtype'> & Pick<JobContext, 'job'>,
): Promise<GgufWritten> =>
  withWeights(narrow, (weights) =>
    writeGguf(narrow, weights, file, {
      ...job,
      option: 'gguf',
      type: dtype,
      description: `${modelName(narrow)}, pruned in width by ${method} with Coppice`,
    }),
  );
