/**
 * The memory that a job takes at its peak, before it starts: one table over its kind, as of its work. Arithmetic on the
 * architectures of its models; it loads nothing that computes, so the extension host may use it.
 */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { layerParameters, parametersOf } from '../engine/checkpoint/parameters';
import { expertsIn, layerSizes } from '../engine/checkpoint/kinds/parts';
import { type Cell, DECODER, predictMemory } from '../engine/evaluate/grid/memory';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import { fittingArrays, HELD_OUT_EVERY } from '../engine/importance/experts/criteria';
import { memoryShare, sharedFree, sharedTotal } from '../engine/memory';
import { HEAD_PIECE } from '../engine/model/piece';
import { fullView } from '../engine/model/view';
import { PRECISIONS } from '../engine/precision';
import { splitWork } from '../engine/parts/split';
import { DEFAULTS } from '../engine/retrain/defaults';
import { healsFirst } from '../jobs/heals-first';
import type { JsonObject } from '../format/json';
import { bytesOfWeights } from '../engine/weights/bytes';
import { calibrationRows, numberIn } from '../jobs/amounts';
import type { Kind } from '../jobs/kinds';
import { isBlocks } from '../jobs/option';
import { DRAFT_WORDS } from '../jobs/options/draft';
import type { CutKind } from '../jobs/parts/part-record';
import { healedRows, writesItself } from './choosing';
import { cutModels, loadOf } from './cut';
import { heldBytes } from './held-sessions';
import { type AskedJob, type EstimatedJob, estimatedJob } from './job';
import { cellsOf, modelsOf, versusModels } from './measuring';
import type { ModelFacts, Models } from './models';
import { BASE, needsOf, openBlocks, READING } from './sweep-needs';
import { trainingBytes } from './training-memory';
import { rowLength } from './training';
import { hasQuantized } from './writing';

/** Memory of this machine, in bytes: all of it, and what is free now. */
export interface MachineMemory {
  readonly total: number;
  readonly free: number;
}

/** @param limit of a job, where the user has set one */
export const machineMemory = (limit = Infinity): MachineMemory => ({
  total: sharedTotal(),
  free: Math.min(limit, sharedFree()),
});

type BytesOf = (job: EstimatedJob, machine: MachineMemory) => number | undefined;

/** Bytes of the process at its peak; undefined where a model or an amount is not known. The tokenizer has a process of its own. */
export function memoryOf(asked: AskedJob, models: Models, machine: MachineMemory): number | undefined {
  const job = estimatedJob(asked, models);
  return job && MEMORY[job.kind](job, machine);
}

/** The largest of several stages of a job, none of which may be unknown. */
function largest(...stages: readonly (number | undefined)[]): number | undefined {
  return stages.every((each) => each !== undefined) ? Math.max(...stages) : undefined;
}

const budgetOf = ({ options }: EstimatedJob, { total }: MachineMemory): number =>
  numberIn(options, 'memory') ?? memoryShare('hiddenStates') * total;

/** A sweep over rows, one block at a time, as one part of it would be. */
const sweep =
  (kind: CutKind, more: JsonObject = {}): BytesOf =>
  (job, machine) => {
    const options = { ...job.options, ...more };
    const needs = cutModels(kind, options, job.models)?.map((model) => {
      const load = loadOf(kind, options, model);
      if (load === undefined) return undefined;
      const [whole] = splitWork(load.cut, 1);
      return needsOf(model, load.cut, whole, { ...load, budget: budgetOf(job, machine) }).memoryBytes;
    });
    return needs && largest(...needs);
  };

/** Removal in turn passes as many variants as a sweep by perplexity. */
const IN_TURN = ['greedy', 'search', 'energy', 'healed'];

const scoring: BytesOf = (job, machine) => {
  const bytes = sweep('score', IN_TURN.includes(String(job.options.criterion)) ? { criterion: 'kl' } : {})(
    job,
    machine,
  );
  return bytes && bytes + heldBytes(job, machine.free);
};

/**
 * Texts that are written side by side: the decoder holds all weights.
 * @param quantized weights of the file: as numbers of 32 bits they stay until they are collected, and the head's are there once
 *   more while it is opened (1.05 times the peak of SmolLM2 in Q4_1, 1.0 times that of Gemma 3 270M in Q4_K_M)
 */
function writing(architecture: Architecture, cell: Cell, quantized: boolean): number {
  const { hidden, layers, vocabulary } = architecture;
  const { total } = predictMemory(architecture, fullView(layers.length), cell, DECODER);
  return BASE + total + (quantized ? 4 * (parametersOf(architecture) + vocabulary * hidden) : 0);
}

/** Models that take turns are open together; where that is too much, one is after the other. @param model whose file they come from */
function turns(
  models: readonly Architecture[],
  cells: readonly Cell[],
  model: ModelFacts,
  { free }: MachineMemory,
): number {
  const quantized = hasQuantized(model);
  const each = models.map((one) => Math.max(...cells.map((cell) => writing(one, cell, quantized))));
  const all = BASE + each.reduce((sum, bytes) => sum + bytes - BASE, 0);
  return all <= free ? all : Math.max(...each);
}

const several =
  (cellsIn: (options: JsonObject) => readonly Cell[]): BytesOf =>
  (job, machine) => {
    const models = modelsOf(job);
    return models && turns(models, cellsIn(job.options), job.model, machine);
  };

/** Weights of the drafts beside the models that they draft for. A draft that is another model is there once. */
function drafting({ options, models }: EstimatedJob, targets: readonly Architecture[]): number {
  const { draft, draftPrecision } = options;
  if (typeof draft !== 'string') return 0;
  const word = DRAFT_WORDS.find((each) => each === draft);
  const other = word === undefined && !isBlocks(draft) ? models.at(draft)?.architecture : undefined;
  const precision = word ?? PRECISIONS.find((each) => each === draftPrecision) ?? 'float32';
  return (other ? [other] : targets).reduce((sum, each) => sum + bytesOfWeights(each, precision), 0);
}

const cellOf = (options: JsonObject): Cell => ({
  batch: 1,
  promptTokens: numberIn(options, 'promptTokens') ?? PROMPT,
  newTokens: numberIn(options, 'newTokens') ?? numberIn(options, 'maxNewTokens') ?? 0,
});

/** Tokens of a prompt that is not known. */
const PROMPT = 64;
/** Texts that a model writes side by side for its own healing. */
const OWN_TEXTS = 16;

/** Streams of hidden states that a healing keeps, in files where they are too large. */
const HEAL_STREAMS = 5;
/** Copies of the largest system of equations in float64, and of a block. */
const SYSTEMS = 3;
const HEALED_BLOCKS = 3;

const healing: BytesOf = (job, machine) => {
  const { options, model } = job;
  const { architecture } = model;
  const fitted = healedRows(job);
  if (fitted === undefined) return undefined;
  const { hidden, layers, vocabulary } = architecture;
  const widest = Math.max(...layers.map(layerSizes).map(({ mixer, ffn }) => Math.max(ffn, mixer)));
  const tokens = fitted.rows * fitted.length;
  const states = Math.min(budgetOf(job, machine), 4 * tokens * (HEAL_STREAMS * hidden + widest));
  const blocks = 4 * HEALED_BLOCKS * Math.max(...layerParameters(architecture));
  const own = { batch: OWN_TEXTS, promptTokens: 1, newTokens: numberIn(options, 'length') ?? HEAL_DEFAULTS.length };
  return largest(
    BASE + states + blocks + 8 * SYSTEMS * widest ** 2 + 4 * vocabulary * hidden,
    writesItself(job) ? writing(architecture, own, hasQuantized(model)) : 0,
  );
};

const training: BytesOf = ({ options, model, removed, models }, { free }) => {
  const { architecture } = model;
  const teacher = models.at(options.teacher)?.architecture;
  return trainingBytes(architecture, {
    ...{ full: options.full === true || options.method === 'full', removed, free },
    length: rowLength(options, architecture),
    rank: numberIn(options, 'rank') ?? DEFAULTS.rank,
    batch: numberIn(options, 'batch') ?? DEFAULTS.batch,
    ...(teacher && { teacher }),
    quantized: hasQuantized(model),
    holdsOut: options.heldOut !== 0,
  });
};

/** A file of the model: a tensor at a time, the largest of which is the embedding. */
const copying: BytesOf = ({ model: { architecture } }) =>
  BASE + 8 * Math.max(architecture.vocabulary * architecture.hidden, ...layerParameters(architecture));

/** A word that goes from a GGUF file, where weights are quantized, into a tokenizer.json: pruning Gemma 3 270M takes 320 MB for 262,144. */
const WORD_BYTES = 1200;

/**
 * A checkpoint that is written a piece of a tensor at a time.
 * @param before stages of the job that compute, whose memory comes back late
 */
const rewriting =
  (...before: readonly BytesOf[]): BytesOf =>
  (job, machine) => {
    const computed = largest(READING, ...before.map((stage) => stage(job, machine)));
    return computed && computed + (hasQuantized(job.model) ? WORD_BYTES * job.model.architecture.vocabulary : 0);
  };

/** And beside it, what was written and what it was written from continue a text. One of them is quantized, mostly. */
const comparing: BytesOf = (job, machine) =>
  largest(
    copying(job, machine),
    writing(
      withoutLayers(job.model.architecture, job.removed),
      { batch: 1, promptTokens: PROMPT, newTokens: PROMPT },
      true,
    ),
  );

const rounds: BytesOf = (job, machine) => {
  const { method } = job.options;
  const mended = method === 'none' ? [] : [isTraining(job) ? training : healing];
  return rewriting(scoring, sweep('eval', { maxKl: 1 }), ...mended)(job, machine);
};

/** Of (tokens, hidden): before and after a block, and between its router and its experts. */
const EXPERT_STATES = 5;

/** The same, of all rows, while factors of kept experts are fitted on most of them. */
const fittedStates = ({ layers }: Architecture): number =>
  fittingArrays(Math.max(...layers.map((layer) => expertsIn(layer)?.chosen ?? 0))) * (1 - 1 / HELD_OUT_EVERY);

/** Rows that go through a block together, what is left of it without its experts, and as many experts as have room. */
const expertPass: BytesOf = (job, machine) => {
  const { architecture } = job.model;
  const { hidden, vocabulary } = architecture;
  const budget = budgetOf(job, machine);
  const { rows, length } = calibrationRows(job.options, architecture.context);
  const arrays = Math.max(EXPERT_STATES, job.options.rescale === true ? fittedStates(architecture) : 0);
  const states = Math.min(budget, 4 * arrays * rows * length * hidden);
  const blocks = openBlocks(architecture, budget);
  return BASE + states + Math.max(...blocks, 4 * Math.min(vocabulary, HEAD_PIECE) * hidden);
};

const isTraining = ({ options: { method } }: EstimatedJob): boolean => method === 'lora' || method === 'full';

const MEMORY: Readonly<Record<Kind, BytesOf>> = {
  score: (job, machine) =>
    largest(scoring(job, machine), job.options.maxKl === undefined ? 0 : sweep('curve')(job, machine)),
  curve: (job, machine) =>
    largest(sweep('curve')(job, machine), job.options.scores === undefined ? scoring(job, machine) : 0),
  prune: (job, machine) => {
    const { criterion, heal } = job.options;
    return rewriting(...(criterion === undefined ? [] : [scoring]), ...(heal === true ? [healing] : []))(job, machine);
  },
  heal: healing,
  iterate: rounds,
  retrain: (job, machine) =>
    largest(training(job, machine), healsFirst(job.options) ? healing({ ...job, options: {} }, machine) : 0),
  width: (job, machine) =>
    rewriting(sweep('score', { criterion: job.options.method === 'llm-pruner' ? 'taylor' : 'ppl' }))(job, machine),
  experts: (job, machine) =>
    largest(
      expertPass(job, machine),
      sweep('experts')(job, machine),
      job.options.out === undefined ? 0 : copying(job, machine),
    ),
  vocabulary: copying,
  eval: (job, machine) => {
    const { repetition, against } = job.options;
    const compared = against !== undefined || job.removed.length > 0 ? { maxKl: 1 } : {};
    const cell = { batch: OWN_TEXTS, promptTokens: PROMPT, newTokens: PROMPT };
    return largest(
      sweep('eval', compared)(job, machine),
      repetition === undefined ? 0 : writing(job.model.architecture, cell, hasQuantized(job.model)),
    );
  },
  tasks: (job, machine) => {
    // Questions of the user's own may be answered in words, and some probes are.
    const cell = { batch: OWN_TEXTS, promptTokens: PROMPT, newTokens: PROMPT };
    const written =
      (job.options.own ?? job.options.probes) === undefined ? 0 : several(() => [cell])(job, { ...machine, free: 0 });
    return largest(sweep('tasks')(job, machine), written);
  },
  generate: (job) => {
    const { options, model } = job;
    const batch = options.prompts === undefined ? 1 : (numberIn(options, 'batch') ?? 1);
    const own = writing(model.architecture, { ...cellOf(options), batch }, hasQuantized(model));
    return own + drafting(job, [model.architecture]);
  },
  draft: (job, machine) =>
    largest(
      writing(job.model.architecture, { ...cellOf(job.options), batch: OWN_TEXTS }, hasQuantized(job.model)),
      job.options.out === undefined ? 0 : comparing(job, machine),
    ),
  samples: (job, machine) => {
    const own = several((options) => [cellOf(options)])(job, machine);
    return own && own + drafting(job, modelsOf(job) ?? []);
  },
  bench: ({ options, model, removed }) =>
    writing(withoutLayers(model.architecture, removed), cellOf(options), hasQuantized(model)),
  speeds: several((options) => [cellOf(options)]),
  grid: several(cellsOf),
  versus: (job, machine) =>
    largest(
      sweep('score', { criterion: 'ppl' })(job, machine),
      sweep('score', { criterion: 'taylor' })(job, machine),
      sweep('eval')(job, machine),
      job.options.speed === false ? 0 : turns(versusModels(job), cellsOf(job.options), job.model, machine),
    ),
  frontier: (job, machine) => {
    const { scores, heal } = job.options;
    const stages = [...(scores === undefined ? [scoring] : []), ...(heal === false ? [] : [healing])];
    return rewriting(sweep('eval'), ...stages)(job, machine);
  },
  merge: rewriting(),
  export: (job, machine) =>
    largest(
      (job.options.verify === false ? copying : comparing)(job, machine),
      job.options.imatrix === 'auto' ? sweep('score', { criterion: 'block-influence' })(job, machine) : 0,
    ),
  verify: comparing,
};
