/** The work of measuring, and of writing texts. */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { TRIVIAL_TYPES } from '../engine/draft/runtimes';
import { type Cell, DECODER } from '../engine/evaluate/grid/memory';
import { ascending, PAPER, PAPER_PROMPT_TOKENS } from '../engine/evaluate/grid/protocol';
import { bytesRead, flopsOf } from '../engine/evaluate/grid/work';
import { DEPTH_METHODS, isWidthMethod, usualCounts, VERSUS_METHODS } from '../engine/evaluate/versus-methods';
import { HELD_OUT_EVERY } from '../engine/importance/experts/criteria';
import {
  evaluationFlops,
  GRADIENT_SPEED,
  headFlops,
  passFlops,
  type RowShape,
  scoringFlops,
} from '../engine/importance/estimate';
import { endBlocks } from '../engine/importance/select';
import { WIDTH_METHODS, type WidthMethod } from '../engine/importance/width/methods';
import { fullView } from '../engine/model/view';
import type { JsonObject } from '../format/json';
import { bytesAt, calibrationRows, measuredRows, numberIn, questionRows, writesAnswers } from '../jobs/amounts';
import type { EstimatedJob, WorkOf } from './job';
import { blocksIn, columnsIn, countIn } from './models';
import { decoding, evaluating, opening, products, type Work, writingTexts } from './work';
import { exported, hasQuantized, writing } from './writing';

export const evaluate: WorkOf = ({ options, model, removed, models }) => {
  const { architecture } = model;
  const rows = measuredRows(options, architecture.context);
  if (rows === undefined) return undefined;
  const changed = [options.remove, options.heal, options.adapter, options.width].some((each) => each !== undefined);
  const against = options.against === undefined ? (changed ? model : undefined) : models.at(options.against);
  const continued = numberIn(options, 'repetition') ?? 0;
  const writers = continued > 0 ? [architecture, ...(against ? [against.architecture] : [])] : [];
  return [
    evaluating(architecture, rows, removed),
    ...(against ? comparing(architecture, against.architecture, rows) : []),
    ...writers.map((each) => writingTexts(each, { rows: continued, length: rows.length })),
  ];
};

/** The other model reads the text too, and both heads compute all logits once more for their distributions. */
const comparing = (architecture: Architecture, against: Architecture, rows: RowShape): Work[] => [
  evaluating(against, rows),
  ...[architecture, against].map((each) => products(each, 'evaluate', headFlops(each, rows))),
];

/** Each model reads all questions, and is opened once more for those whose answers it writes. */
export const tasks: WorkOf = (job) => {
  const models = modelsOf(job);
  const rows = questionRows(job.options);
  if (models === undefined || rows === undefined) return undefined;
  const writers = writesAnswers(job.options) ? models : [];
  return [
    ...models.map((architecture) => evaluating(architecture, rows)),
    ...writers.map((architecture) => opening(architecture, { quantized: hasQuantized(job.model) })),
  ];
};

/** The models of a job over several. What is left out beside them, is so in the last one. */
export function modelsOf({ options, models, removed }: EstimatedJob): Architecture[] | undefined {
  const columns = columnsIn(options.columns);
  const named: readonly JsonObject[] =
    columns.length > 0
      ? columns
      : (Array.isArray(options.checkpoints) ? (options.checkpoints as readonly unknown[]) : []).map(
          (checkpoint, at, all) => ({ checkpoint, ...(at === all.length - 1 && { remove: removed }) }),
        );
  const found = named.map(({ checkpoint, remove }) => {
    const whole = models.at(checkpoint)?.architecture;
    return whole && withoutLayers(whole, blocksIn(remove, whole));
  });
  return found.every((each) => each !== undefined) ? found : undefined;
}

/** Texts that are written side by side read the weights together. */
const BYTES_PER_PROMPT = 120;

/** Bytes of a weight, by the precision that is asked for. */
const WEIGHT_BYTES: Readonly<Record<string, number>> = { float16: 2, bfloat16: 2, int8: 1.125, int4: 0.625 };

const bytesPerWeight = ({ precision }: JsonObject): number => WEIGHT_BYTES[String(precision)] ?? 4;

export const generate: WorkOf = ({ options, model, removed }) => {
  const architecture = withoutLayers(model.architecture, removed);
  const tokens = numberIn(options, 'maxNewTokens') ?? 0;
  if (options.prompts === undefined) return [decoding(architecture, tokens, bytesPerWeight(options))];
  const bytes = bytesAt(options.prompts);
  if (bytes === undefined) return undefined;
  return [writingTexts(architecture, { rows: Math.max(1, bytes / BYTES_PER_PROMPT), length: tokens })];
};

/** Times of a pass, measured again and again. */
const TIMED_PASSES = 100;

/** The model writes texts; it and each draft read them once; and passes are timed. */
export const draft: WorkOf = ({ options, model, models, removed }) => {
  const { architecture } = model;
  const tokens = numberIn(options, 'maxNewTokens') ?? 0;
  const bytes = bytesAt(options.prompts);
  if (bytes === undefined) return undefined;
  const rows = { rows: Math.max(1, bytes / BYTES_PER_PROMPT), length: tokens };
  const named = (Array.isArray(options.drafts) ? options.drafts : []).map((path) => models.at(path)?.architecture);
  const own = removed.length === 0 ? [] : [withoutLayers(architecture, removed)];
  const read = [...TRIVIAL_TYPES.map(() => architecture), ...named.filter((each) => each !== undefined), ...own];
  return [
    writingTexts(architecture, rows),
    ...[architecture, ...read].map((each) => evaluating(each, rows)),
    ...(options.costs === undefined ? [architecture, ...read].map((each) => decoding(each, TIMED_PASSES)) : []),
  ];
};

export const samples: WorkOf = (job) => {
  const { prompts, ...options } = job.options;
  const tokens = (Array.isArray(prompts) ? prompts.length : 1) * (numberIn(options, 'maxNewTokens') ?? 0);
  return modelsOf(job)?.map((architecture) => decoding(architecture, tokens, bytesPerWeight(options)));
};

/** A run before those that count. */
const WARMUP = 1;

/** Reading a prompt and continuing it, several times. */
function turns(architecture: Architecture, options: JsonObject): Work[] {
  const runs = (numberIn(options, 'repeats') ?? 0) + WARMUP;
  const length = Math.min(numberIn(options, 'promptTokens') ?? 0, architecture.context);
  return [
    evaluating(architecture, { rows: runs, length }),
    decoding(architecture, runs * (numberIn(options, 'newTokens') ?? 0), bytesPerWeight(options)),
  ];
}

export const bench: WorkOf = ({ options, model, removed }) =>
  turns(withoutLayers(model.architecture, removed), options);

export const speeds: WorkOf = (job) => modelsOf(job)?.flatMap((architecture) => turns(architecture, job.options));

const numbersIn = (value: unknown): number[] =>
  (Array.isArray(value) ? value : [value]).filter((each): each is number => typeof each === 'number');

/** The cells of batches and lengths. */
export function cellsOf(options: JsonObject): Cell[] {
  const isPaper = options.paper === true;
  const batches = isPaper ? PAPER.batches : ascending(numbersIn(options.batch));
  const lengths = isPaper ? PAPER.newTokens : ascending(numbersIn(options.newTokens));
  const promptTokens = numberIn(options, 'promptTokens') ?? PAPER_PROMPT_TOKENS;
  return batches.flatMap((batch) => lengths.map((newTokens) => ({ batch, promptTokens, newTokens })));
}

/** Each cell runs several times: every step reads all weights, and computes its products. */
function cells(architecture: Architecture, options: JsonObject): Work[] {
  const runs =
    options.paper === true
      ? PAPER.runs + PAPER.warmup
      : (numberIn(options, 'runs') ?? 0) + (numberIn(options, 'warmup') ?? 0);
  const view = fullView(architecture.layers.length);
  return cellsOf(options).flatMap((cell): Work[] => [
    { ...decoding(architecture, 0), bytes: runs * bytesRead(architecture, view, cell, DECODER) } as Work,
    products(architecture, 'evaluate', runs * flopsOf(architecture, view, cell)),
  ]);
}

export const grid: WorkOf = (job) => modelsOf(job)?.flatMap((architecture) => cells(architecture, job.options));

/** Passes over the calibration rows that a rival takes: once, and for each size. */
const RIVAL_PASSES: Readonly<Record<WidthMethod, { readonly once: number; readonly each: number }>> = {
  'llm-pruner': { once: 3 / GRADIENT_SPEED, each: 0 },
  flap: { once: 1, each: 0.3 },
  'wanda-sp': { once: 0, each: 2 },
};

export const width: WorkOf = (job) => {
  const { options, model } = job;
  const { architecture } = model;
  const method = WIDTH_METHODS.find((name) => name === options.method) ?? 'flap';
  const { once, each } = RIVAL_PASSES[method];
  const rows = calibrationRows(options, architecture.context);
  return [
    products(architecture, 'evaluate', (once + each + 2) * evaluationFlops(architecture, rows)),
    ...(options.out === undefined ? [] : [writing(job)]),
    ...(options.gguf === undefined ? [] : [exported(job)]),
  ];
};

/** Fitted rows pass the original and the model with fewer experts; the original and the model without and with factors read the others. */
function rescaling(architecture: Architecture, { rows, length }: RowShape, removed: readonly number[]): Work[] {
  const heldOut = { rows: rows / HELD_OUT_EVERY, length };
  const fitted = { rows: rows - heldOut.rows, length };
  return [
    products(architecture, 'evaluate', 2 * passFlops(architecture, fitted, removed)),
    evaluating(architecture, heldOut),
    evaluating(architecture, { ...heldOut, rows: 2 * heldOut.rows }, removed),
  ];
}

/** The pass that scores also gives the original's loss, unless blocks go too or another text is measured on. */
export const experts: WorkOf = (job) => {
  const { options, model, removed } = job;
  const { architecture } = model;
  const scores = options.scores === undefined;
  const routed = calibrationRows(options, architecture.context);
  const judged =
    options.text === undefined
      ? routed
      : calibrationRows({ ...options, calibration: options.text }, architecture.context);
  const isShared = scores && removed.length === 0 && options.text === undefined && options.measure !== false;
  return [
    ...(scores && isShared ? [evaluating(architecture, routed)] : []),
    ...(scores && !isShared ? [products(architecture, 'evaluate', passFlops(architecture, routed, removed))] : []),
    ...(options.rescale === true ? rescaling(architecture, routed, removed) : []),
    ...(options.measure === false ? [] : [evaluating(architecture, judged, removed)]),
    ...(options.measure === false || isShared ? [] : [evaluating(architecture, judged)]),
    ...(options.out === undefined ? [] : [writing(job)]),
  ];
};

/** The held-out text in both spellings. Texts are counted besides, which takes little and depends on how many there are. */
export const vocabulary: WorkOf = (job) => {
  const { options, model } = job;
  const rows = { rows: numberIn(options, 'limit') ?? 1, length: 128 };
  return [
    ...(options.bits === false ? [] : [evaluating(model.architecture, { ...rows, rows: 2 * rows.rows })]),
    ...(options.out === undefined ? [] : [writing(job)]),
  ];
};

/** Tokens of the continuation that every model writes. */
const SAMPLE_TOKENS = 40;

export const versus: WorkOf = (job) => {
  const { options, model } = job;
  const { architecture } = model;
  const measured = measuredRows(options, architecture.context);
  const asks = options.data !== undefined || options.own !== undefined;
  const questions = asks ? questionRows({ ...options, limit: options.items }) : undefined;
  if (measured === undefined || (asks && questions === undefined)) return undefined;
  const counts = countsOf(options, architecture);
  const methods = methodsOf(options);
  const scored = calibrationRows(options, architecture.context);
  const models = versusModels(job);
  const passes = methods
    .filter(isWidthMethod)
    .reduce((sum, method) => sum + RIVAL_PASSES[method].once + counts.length * RIVAL_PASSES[method].each, 0);
  const each = (rows: RowShape): Work[] => models.map((shorter) => evaluating(shorter, rows));
  return [
    ...DEPTH_METHODS.filter((method) => methods.includes(method)).map((method) =>
      products(architecture, method, scoringFlops(architecture, method, scored)),
    ),
    products(architecture, 'evaluate', passes * evaluationFlops(architecture, scored)),
    ...each(measured),
    ...(questions ? each(questions) : []),
    ...(options.sample === false ? [] : models.map((shorter) => decoding(shorter, SAMPLE_TOKENS))),
    ...(options.speed === false ? [] : models.flatMap((shorter) => cells(shorter, options))),
  ];
};

const methodsOf = ({ methods }: JsonObject) =>
  VERSUS_METHODS.filter((name) => (Array.isArray(methods) ? (methods as readonly unknown[]).includes(name) : true));

/** All models that are compared, the original first. Which blocks go does not matter, and narrower models are as large. */
export function versusModels({ options, model: { architecture } }: EstimatedJob): Architecture[] {
  const counts = countsOf(options, architecture);
  const plan = Array.isArray(options.plan) ? [options.plan.length] : [];
  const blocks = [...architecture.layers.keys()];
  return [0, ...counts.flatMap((count) => methodsOf(options).map(() => count)), ...plan].map((count) =>
    withoutLayers(architecture, blocks.slice(0, Math.min(count, blocks.length - 1))),
  );
}

function countsOf(options: JsonObject, architecture: Architecture): number[] {
  if (Array.isArray(options.counts)) return numbersIn(options.counts);
  if (Array.isArray(options.ratios)) return numbersIn(options.ratios).map((ratio) => countIn({ ratio }, architecture));
  if (Array.isArray(options.plan)) return [options.plan.length];
  const blocks = architecture.layers.length;
  return usualCounts(blocks, Math.max(1, blocks - endBlocks(blocks).length));
}
