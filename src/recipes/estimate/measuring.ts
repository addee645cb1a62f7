/** The work of measuring, of writing texts, and of writing files. */
import { withoutLayers } from '../../engine/checkpoint/architecture';
import { parametersOf } from '../../engine/checkpoint/parameters';
import { ascending, PAPER, PAPER_PROMPT_TOKENS } from '../../engine/evaluate/grid/protocol';
import { DECODER } from '../../engine/evaluate/grid/memory';
import { bytesRead, flopsOf } from '../../engine/evaluate/grid/work';
import { usualCounts, VERSUS_METHODS } from '../../engine/evaluate/versus-methods';
import { endBlocks } from '../../engine/importance/select';
import { WIDTH_METHODS } from '../../engine/importance/width/methods';
import { evaluationFlops, writingFlops } from '../../engine/importance/estimate';
import { fullView } from '../../engine/model/view';
import { isObject } from '../../format/json';
import { RIVAL_PASSES, versusFlops } from '../../jobs/versus-work';
import { bytesAt, calibrationRows, numberIn, questionTokens } from '../../jobs/amounts';
import { countIn, type StepModel } from './models';
import { decoding, type Estimated, evaluating, measuredRows, type PartsOf, products } from './parts';
import { exported, writing } from './choosing';
import type { Part } from './speeds';

export const evaluate: PartsOf = async (step) => {
  const { options, model, removed, models } = step;
  const rows = await measuredRows(step);
  if (rows === undefined) return undefined;
  const { architecture } = model;
  const changed = [options.remove, options.heal, options.adapter, options.width].some((each) => each !== undefined);
  const against = options.against === undefined ? (changed ? model : undefined) : await models.at(options.against);
  const continued = numberIn(options, 'repetition') ?? 0;
  const texts = { rows: continued, length: rows.length };
  return [
    evaluating(architecture, rows, removed),
    ...(against ? [evaluating(against.architecture, rows)] : []),
    ...(continued > 0 ? [products(architecture, 'write', writingFlops(architecture, texts), rows.length)] : []),
  ];
};

/** Tokens of a row of questions with their answers. */
const ROW = 64;

export const tasks: PartsOf = async (step) => {
  const { options } = step;
  const models = await modelsOf(step);
  const tokens = await questionTokens(options);
  if (models === undefined || tokens === undefined) return undefined;
  const rows = { rows: tokens / ROW, length: ROW };
  return models.map(({ architecture }) => evaluating(architecture, rows));
};

/** The models of a job over several; what is left out, is so in the last one. */
async function modelsOf({ options, models }: Estimated): Promise<StepModel[] | undefined> {
  const paths: readonly unknown[] = Array.isArray(options.columns)
    ? options.columns.map((column: unknown) => (isObject(column) ? column.checkpoint : undefined))
    : Array.isArray(options.checkpoints)
      ? options.checkpoints
      : [];
  const found: StepModel[] = [];
  for (const path of paths) {
    const model = await models.at(path);
    if (model === undefined) return undefined;
    found.push(model);
  }
  const last = found.at(-1);
  if (last === undefined) return undefined;
  const removed = await models.removedBy({ job: 'eval' }, options, last.architecture);
  return [...found.slice(0, -1), { ...last, architecture: withoutLayers(last.architecture, removed) }];
}

/** Texts that are written side by side read the weights together. */
const BYTES_PER_PROMPT = 120;

export const generate: PartsOf = async ({ options, model, removed }) => {
  const architecture = withoutLayers(model.architecture, removed);
  const tokens = numberIn(options, 'maxNewTokens') ?? 0;
  if (options.prompts === undefined) return [decoding(architecture, tokens)];
  const bytes = await bytesAt(options.prompts);
  if (bytes === undefined) return undefined;
  const rows = { rows: Math.max(1, bytes / BYTES_PER_PROMPT), length: tokens };
  return [products(architecture, 'write', writingFlops(architecture, rows), Math.max(1, tokens))];
};

/** A run before those that count. */
const WARMUP = 1;

export const bench: PartsOf = async ({ options, model, removed }) => {
  const architecture = withoutLayers(model.architecture, removed);
  const runs = (numberIn(options, 'repeats') ?? 0) + WARMUP;
  const prompt = { rows: runs, length: Math.min(numberIn(options, 'promptTokens') ?? 0, architecture.context) };
  return Promise.resolve([
    evaluating(architecture, prompt),
    decoding(architecture, runs * (numberIn(options, 'newTokens') ?? 0)),
  ]);
};

const numbersIn = (value: unknown): number[] =>
  Array.isArray(value) ? value.filter((each): each is number => typeof each === 'number') : [];

export const grid: PartsOf = async (step) => {
  const models = await modelsOf(step);
  if (models === undefined) return undefined;
  const { options } = step;
  const isPaper = options.paper === true;
  const batches = isPaper ? PAPER.batches : ascending(numbersIn(options.batch));
  const lengths = isPaper ? PAPER.newTokens : ascending(numbersIn(options.newTokens));
  const runs = isPaper
    ? PAPER.runs + PAPER.warmup
    : (numberIn(options, 'runs') ?? 0) + (numberIn(options, 'warmup') ?? 0);
  const cells = batches.flatMap((batch) =>
    lengths.map((newTokens) => ({
      batch,
      promptTokens: numberIn(options, 'promptTokens') ?? PAPER_PROMPT_TOKENS,
      newTokens,
    })),
  );
  return models.flatMap(({ architecture }) => {
    const view = fullView(architecture.layers.length);
    return cells.flatMap((cell): Part[] => [
      { ...decoding(architecture, 0), bytes: runs * bytesRead(architecture, view, cell, DECODER) },
      products(architecture, 'evaluate', runs * flopsOf(architecture, view, cell), cell.newTokens),
    ]);
  });
};

export const width: PartsOf = async (step) => {
  const { options, model } = step;
  const { architecture } = model;
  const rows = await calibrationRows(options, architecture.context);
  const method = WIDTH_METHODS.find((name) => name === options.method) ?? 'flap';
  const { once, each } = RIVAL_PASSES[method];
  const whole = evaluationFlops(architecture, rows);
  return [
    products(architecture, 'evaluate', (once + each + 2) * whole, rows.length),
    ...(options.out === undefined ? [] : [writing(step)]),
    ...(options.gguf === undefined ? [] : [exported(step)]),
  ];
};

export const versus: PartsOf = async (step) => {
  const { options, model } = step;
  const { architecture } = model;
  const blocks = architecture.layers.length;
  const measured = await measuredRows(step);
  if (measured === undefined || options.data !== undefined || options.own !== undefined) return undefined;
  const counts = Array.isArray(options.counts)
    ? numbersIn(options.counts)
    : Array.isArray(options.ratios)
      ? numbersIn(options.ratios).map((ratio) => countIn({ ratio }, architecture))
      : usualCounts(blocks, Math.max(1, blocks - endBlocks(blocks).length));
  const named: readonly unknown[] | undefined = Array.isArray(options.methods) ? options.methods : undefined;
  const methods = VERSUS_METHODS.filter((name) => named?.includes(name) ?? true);
  const scored = await calibrationRows(options, architecture.context);
  const flops = versusFlops(architecture, { methods, counts, scored, measured });
  const models = 1 + methods.length * counts.length;
  const runs = (numberIn(options, 'runs') ?? 0) + (numberIn(options, 'warmup') ?? 0);
  const tokens = runs * (numberIn(options, 'newTokens') ?? 0);
  return [
    products(architecture, 'evaluate', flops, scored.length),
    ...(options.speed === false ? [] : [decoding(architecture, models * tokens)]),
  ];
};

/** Of fixed texts and a continuation, by which a written file is compared with its model. */
const COMPARED = { rows: 2, length: 64 } as const;
const CONTINUED = 32;

/** A written file beside the model that it was written from. */
export const comparing = ({ model, removed }: Pick<Estimated, 'model' | 'removed'>): Part[] => {
  const architecture = withoutLayers(model.architecture, removed);
  return [
    { kind: 'compared', bytes: BYTES_PER_NUMBER * parametersOf(architecture) },
    evaluating(architecture, { ...COMPARED, rows: 2 * COMPARED.rows }),
    decoding(architecture, 2 * CONTINUED),
  ];
};

const BYTES_PER_NUMBER = 4;

export const verify: PartsOf = (step) => Promise.resolve(comparing(step));

export const merge: PartsOf = (step) => Promise.resolve([writing(step)]);

export const exporting: PartsOf = async (step) => {
  const { options, model, removed } = step;
  const kinds = Array.isArray(options.type) ? Math.max(1, options.type.length) : 1;
  const each = [exported(step), ...(options.verify === false ? [] : comparing(step))];
  const all = Array.from({ length: kinds }, () => each).flat();
  if (options.text === undefined) return all;
  const rows = await measuredRows(step);
  if (rows === undefined) return undefined;
  const more = { ...rows, rows: kinds * rows.rows };
  return [...all, evaluating(withoutLayers(model.architecture, removed), more)];
};
