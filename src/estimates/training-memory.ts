/**
 * Memory that a retraining takes at its peak, before it starts. Pure arithmetic on the architecture; it loads nothing that
 * computes, so the extension host may use it.
 */
import { type Architecture, linearGroups, withoutLayers } from '../engine/checkpoint/architecture';
import { elements, layerParameters, parametersOf } from '../engine/checkpoint/parameters';
import { blockWeights, outerWeights } from '../engine/checkpoint/weight-names';
import { layerSizes } from '../engine/checkpoint/kinds/parts';
import { memoryShare } from '../engine/memory';
import { logitsBytes } from '../engine/model/head-tokens';
import { TOKENS_PER_RUN } from '../engine/retrain/amounts';

/** What the memory depends on. A larger batch takes no more: gradients of a few hundred tokens at a time are summed up. */
export interface TrainingMemory {
  readonly full: boolean;
  /** Blocks that the trained model lacks. */
  readonly removed: readonly number[];
  /** Most tokens of a row. */
  readonly length: number;
  readonly rank: number;
  /** Rows of a step. */
  readonly batch: number;
  /** The model that teaches. */
  readonly teacher?: Architecture;
  /** A copy of the best weights is kept where something is held out. */
  readonly holdsOut: boolean;
  /** The file of the model has weights of less than 16 bits. */
  readonly quantized?: boolean;
  /** Memory that is free now: less of it lets the training keep less, and take longer. */
  readonly free: number;
}

const MIB = 2 ** 20;
/** The process, onnxruntime and the tokenizer, with nothing of a model. */
const PROCESS = 250 * MIB;
/** Arrays of the size of the logits at a time: the least with a frozen head, the most with a teacher's states. */
const LOGIT_ARRAYS = { frozen: 2, byMeanRows: 6, trained: 5, taught: 15 } as const;
/** Attention scores, their softmax and the gradients, heads × tokens × length. */
const SCORES = 5;
/** Values, two moments and gradients of what is trained. */
const COPIES = 4;
/** Of a frozen head while it is opened, as many as in a sweep with gradients (sweep-needs.ts). */
const HEAD_COPIES = { stored: 1, quantized: 4.5 } as const;
/** What the allocator keeps beside what is counted. */
const SLACK = 1.25;

/**
 * Bytes at the peak of a retraining, with a margin. It was 1.02 to 1.38 times the measured peaks (`peakRssBytes`) of 21 retrainings
 * of a step or two: the sample model and SmolLM2-135M-Instruct, adapters of rank 8 and 32 and all weights, rows of 64 to 2,048 tokens,
 * with and without removed blocks and a teacher, on two cores of Linux x64 with 18 GB free; for every weight of Gemma 3 270M, one step, 1.40
 * and with a teacher 1.18 times. Larger models were not measured.
 * @param architecture of the whole model
 */
export function trainingBytes(architecture: Architecture, asked: TrainingMemory): number {
  const { full, removed, length, teacher, holdsOut, free } = asked;
  const model = withoutLayers(architecture, removed);
  const tokens = Math.max(length, Math.min(full ? TOKENS_PER_RUN.full : TOKENS_PER_RUN.lora, asked.batch * length));
  const { hidden, layers } = model;
  const blocks = layerParameters(model);
  const inBlocks = blocks.reduce((sum, each) => sum + each, 0);
  // Weights of open sessions are there twice, for the pass forward and the pass back. Trained ones are fed to sessions.
  const sessions = full ? 0 : 8 * inBlocks;
  const keepsSessions = sessions < memoryShare('trainingSessions') * free;
  const kept = keptBytes(model, tokens, asked);
  const keepsActivations = kept < memoryShare('trainingActivations') * free;
  const perBlock = kept / Math.max(1, layers.length);
  const heads = Math.max(...layers.map((layer) => layerSizes(layer).heads));
  const ffn = Math.max(...layers.map((layer) => layerSizes(layer).ffn));
  const head = 4 * elements(outerWeights(model).head.shape);
  const copies = HEAD_COPIES[asked.quantized && !full ? 'quantized' : 'stored'];
  const logits = logitsBytes(model, full && !teacher);
  const byStates = full || teacher?.hidden !== hidden || model.style.logitCap !== null;
  const taught = teacher && (byStates ? 'taught' : 'byMeanRows');
  const arrays = LOGIT_ARRAYS[taught ?? (full ? 'trained' : 'frozen')];
  const trained = full ? parametersOf(model) : adapterParameters(model, asked.rank);
  const parts = [
    keepsSessions ? sessions : sessions / Math.max(1, blocks.length),
    keepsActivations ? kept : perBlock,
    copies * head,
    arrays * logits,
    4 * tokens * hidden * (layers.length + 4),
    4 * tokens * (4 * ffn + 8 * hidden),
    4 * SCORES * heads * tokens * length,
    4 * (COPIES + (holdsOut ? 1 : 0)) * trained,
    full ? 2 * head : 0,
    teacher ? teacherBytes(teacher, free) : 0,
  ];
  return PROCESS + SLACK * parts.reduce((sum, each) => sum + each, 0);
}

/** Results of all products, and masks of dropout, for the pass back. */
function keptBytes(model: Architecture, tokens: number, { full, rank }: TrainingMemory): number {
  const numbers = model.layers.map((layer, block) => {
    const weights = blockWeights(model, block);
    const widths = linearGroups(layer).map((group) =>
      group.map((name) => weights[name]!.shape as readonly [number, number]),
    );
    const outputs = widths.flat().reduce((sum, [out]) => sum + out + (full ? 0 : rank), 0);
    const masks = full ? 0 : widths.reduce((sum, [[, input]]) => sum + input, 0);
    return outputs + masks;
  });
  return 4 * tokens * numbers.reduce((sum, each) => sum + each, 0);
}

/** Parameters of an adapter of every Linear. */
function adapterParameters(model: Architecture, rank: number): number {
  return model.layers.reduce((sum, layer, block) => {
    const weights = blockWeights(model, block);
    const own = linearGroups(layer)
      .flat()
      .map((name) => weights[name]!.shape);
    return sum + own.reduce((all, [out, input]) => all + rank * (out + input), 0);
  }, 0);
}

/** Of the sessions of a model that only reads. */
function teacherBytes(teacher: Architecture, free: number): number {
  const sessions = 8 * layerParameters(teacher).reduce((sum, each) => sum + each, 0);
  return sessions < memoryShare('teacherSessions') * free ? sessions : 0;
}
