/**
 * How many bytes a step will write, from headers alone: the same plans that the writers lay out. Every place that announces
 * a size asks here or `checkpointReduction`, which gives the same number where format and types stay as they are.
 */
import { adapterPatches } from '../engine/adapter/adapter';
import { readAdapter } from '../engine/adapter/files';
import { healedBelow } from '../engine/adapter/healed-below';
import { type Architecture, LINEARS_IN_ORDER } from '../engine/checkpoint/architecture';
import { requireArchitecture } from '../engine/checkpoint/open';
import { GGUF_NOTES_BYTES, NOTES_BYTES } from '../engine/checkpoint/file-bytes';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import { ggufName } from '../engine/checkpoint/gguf/names';
import { mainDtype } from '../engine/checkpoint/main-dtype';
import { checkpointReduction } from '../engine/checkpoint/reduction';
import type { Checkpoint } from '../engine/checkpoint/types';
import { keyText, type WeightKey, weightKeys, weightOf } from '../engine/checkpoint/weight-key';
import type { WeightDtype } from '../engine/formats/dtype';
import { correctedKeys } from '../engine/heal/sites';
import type { Changes } from '../engine/model/model';
import { viewWithout } from '../engine/model/view';
import type { JobOptions } from '../engine/progress';
import { withWeights } from '../engine/weights/checkpoint';
import { withChanges } from '../engine/weights/overlay';
import { readPatchFile } from '../engine/weights/patch-file';
import type { WeightSource } from '../engine/weights/source';
import type { ExportFormat } from '../engine/write/formats';
import type { FinerTypes } from '../engine/write/gguf/finer';
import { planGguf } from '../engine/write/gguf/write-gguf';
import type { GgufType } from '../engine/write/gguf/kinds';
import { onnxFolderFiles } from '../engine/write/onnx/folder/files';
import type { OnnxKind } from '../engine/write/onnx/kinds';
import { planOnnx } from '../engine/write/onnx/plan';
import { onnxFacts } from '../engine/write/onnx/write-onnx';
import { planModel } from '../engine/write/planned-model';
import { companionBytes, companionsOf } from '../engine/write/write-checkpoint';

/** What is written. */
export interface Shipped {
  readonly format: ExportFormat;
  /** Undefined: every weight keeps its type. */
  readonly type?: string;
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
  /**
   * How weights of a GGUF file change, which then get a type that Coppice makes: by a healing or an adapter that does not exist
   * yet, or by these.
   */
  readonly changed?: 'healed' | 'trained' | Changes;
  /** An importance matrix guides the rounding of a GGUF file, and gives some matrices another type. */
  readonly weighed?: boolean;
  /** Tokens that stay of the vocabulary; all when undefined. Which ones is not known yet, so the size is about right. */
  readonly tokens?: number;
}

/** Files that are put on top of a model, by path. */
export interface OnTop {
  readonly heal?: string;
  readonly adapter?: string;
}

/** What healed weights and an adapter make of a model. */
export interface FoundChanges {
  readonly changed: Changes;
  /** Blocks that they were found without, ascending. */
  readonly removed: readonly number[];
}

/** @throws UserError when a file cannot be read, or belongs to another model; CancelledError */
export async function changesIn(checkpoint: Checkpoint, onTop: OnTop, job: JobOptions = {}): Promise<FoundChanges> {
  const heal = await healedBelow(onTop.adapter, checkpoint, onTop.heal);
  const healed = heal === undefined ? undefined : await readPatchFile(heal, checkpoint, job);
  const below = healed?.note.adapter === undefined ? healed?.note.digest : undefined;
  const adapter =
    onTop.adapter === undefined ? undefined : await readAdapter(onTop.adapter, checkpoint, { healed: below });
  const removed = [...(healed?.note.removed ?? []), ...(adapter?.removed ?? [])];
  const blocks = removed.filter((part) => typeof part === 'number');
  return {
    changed: [...(healed ? [healed.patches] : []), ...(adapter ? [adapterPatches(adapter)] : [])],
    removed: [...new Set(blocks)].sort((a, b) => a - b),
  };
}

/**
 * Bytes of all files of an export, or of a model that is pruned to safetensors.
 * @throws UserError for a model that the format cannot hold; CancelledError
 */
export const writtenBytes = async (checkpoint: Checkpoint, shipped: Shipped, job?: JobOptions): Promise<number> =>
  (await writtenSize(checkpoint, shipped, job)).bytes;

/** The size of what is written, and what of it is not that of the blocks. */
export interface WrittenSize {
  readonly bytes: number;
  /** Changed matrices of a GGUF file that are kept in finer types than they had. */
  readonly finer?: FinerTypes;
}

/** The same with the reason, where it is larger than the blocks that stay. @throws as `writtenBytes` */
export async function writtenSize(
  checkpoint: Checkpoint,
  shipped: Shipped,
  job: JobOptions = {},
): Promise<WrittenSize> {
  const { removed, format, tokens } = shipped;
  const { layers, vocabulary } = requireArchitecture(checkpoint);
  const kept = [...layers.keys()].filter((block) => !removed.includes(block));
  return withWeights(checkpoint, async (weights) => {
    const { bytes, ofTokens, ...why } = await PLANNERS[format]({ checkpoint, weights, kept }, shipped, job);
    const going = tokens === undefined ? 0 : Math.max(0, 1 - tokens / vocabulary);
    return { bytes: Math.round(bytes - going * ofTokens), ...why };
  });
}

/**
 * Bytes of a model that is pruned: a checkpoint in safetensors, where blocks of quantized GGUF files become float32.
 * @throws UserError when files cannot be read; CancelledError
 */
export const prunedBytes = (checkpoint: Checkpoint, removed: readonly number[], job?: JobOptions): Promise<number> =>
  writtenBytes(checkpoint, { format: 'safetensors', removed }, job);

interface Source {
  readonly checkpoint: Checkpoint;
  readonly weights: WeightSource;
  readonly kept: readonly number[];
}

interface Planned extends WrittenSize {
  /** Those of the bytes that each token has a share of: rows of the embedding and of the head, and the tokenizer. */
  readonly ofTokens: number;
}

type Planner = (source: Source, shipped: Shipped, job: JobOptions) => Promise<Planned>;

const OUTER = ['embed', 'head'] as const;

const PLANNERS: Readonly<Record<ExportFormat, Planner>> = {
  async gguf({ checkpoint, weights, kept }, { type, removed, changed, weighed }) {
    const written = changed === undefined ? weights : withChanged(weights, removed, changed);
    const { layout, finer } = await planGguf(checkpoint, written, {
      kept,
      type: type as GgufType | undefined,
      weighed,
    });
    const names = OUTER.map((key) => ggufName(key));
    const rows = layout.tensors.filter(({ name }) => names.includes(name));
    const ofTokens = layout.header.length + sumOf(rows);
    if (type === undefined && changed === undefined && isGgufCheckpoint(checkpoint))
      return { bytes: storedBytes(checkpoint, removed), ofTokens };
    return { bytes: layout.bytes + GGUF_NOTES_BYTES, ofTokens, ...(finer && { finer }) };
  },

  async onnx({ checkpoint, weights, kept }, { type = 'fp32' }, { signal }) {
    const model = await planOnnx(weights, { kept, kind: type as OnnxKind, target: 'cpu', signal });
    const facts = onnxFacts(weights.architecture, kept, 'cpu', [model]);
    const beside = await besideOnnx(checkpoint, facts, kept);
    const ofTokens = outerOnnxBytes(weights.architecture, type as OnnxKind) + (await tokenizerBytes(checkpoint));
    return { bytes: facts.models.reduce((sum, { bytes }) => sum + bytes, beside), ofTokens };
  },

  async safetensors({ checkpoint, weights }, { type, removed }) {
    const { plan, config } = await planModel(checkpoint, weights, { removed, dtype: stored(type) });
    const names = OUTER.flatMap((key) => weightOf(weights.architecture, key)?.name ?? []);
    const rows = plan.shards.flatMap(({ tensors }) => tensors).filter(({ name }) => names.includes(name));
    const tokenizer = await tokenizerBytes(checkpoint);
    const ofTokens = sumOf(rows) + tokenizer;
    if (type === undefined && !isGgufCheckpoint(checkpoint))
      return { bytes: storedBytes(checkpoint, removed), ofTokens };
    return { bytes: plan.bytes + Buffer.byteLength(config) + tokenizer + NOTES_BYTES, ofTokens };
  },
};

/** What the tree and the panel say of a plan. An export has a card and a record of its own, also with all blocks. */
const storedBytes = (checkpoint: Checkpoint, removed: readonly number[]): number =>
  checkpointReduction(checkpoint, removed).bytesAfter;

const sumOf = (tensors: readonly { readonly bytes: number }[]): number =>
  tensors.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes that a number of the embedding and the head has: a block of 32 has a scale of four bytes and a zero point. */
const OUTER_BYTES: Readonly<Record<OnnxKind, number>> = { fp32: 4, fp16: 2, q8: 37 / 32, q4: 37 / 32 };

const outerOnnxBytes = ({ vocabulary, hidden, tied }: Architecture, kind: OnnxKind): number =>
  (tied ? 1 : 2) * vocabulary * hidden * OUTER_BYTES[kind];

/** The weights as they are planned once numbers are others. */
function withChanged(
  weights: WeightSource,
  removed: readonly number[],
  how: NonNullable<Shipped['changed']>,
): WeightSource {
  if (typeof how !== 'string') return withChanges(weights, how);
  const { architecture } = weights;
  const view = viewWithout(
    architecture.layers.length,
    removed.map((block) => ({ block })),
  );
  const keys = how === 'healed' ? correctedKeys(architecture, view) : [...weightKeys(architecture)].filter(isLinear);
  const changed = new Set(keys.map((key) => keyText(key)));
  const stored = (key: WeightKey): ReturnType<WeightSource['stored']> =>
    changed.has(keyText(key)) ? undefined : weights.stored(key);
  const shape = (key: WeightKey): readonly number[] => weights.shape(key);
  return Object.create(weights, { stored: { value: stored }, shape: { value: shape } }) as WeightSource;
}

const isLinear = (key: WeightKey): boolean =>
  typeof key !== 'string' && (LINEARS_IN_ORDER as readonly string[]).includes(key.name);

/** Of the record of an export, and of what its README says about checks. */
const ONNX_NOTES_BYTES = 6 * 2 ** 10;

async function besideOnnx(
  checkpoint: Checkpoint,
  facts: Parameters<typeof onnxFolderFiles>[1],
  kept: readonly number[],
): Promise<number> {
  const files = await onnxFolderFiles(checkpoint, facts, { kept, name: 'model' });
  return files.reduce((sum, { text }) => sum + Buffer.byteLength(text), ONNX_NOTES_BYTES);
}

/** The tokenizer of a GGUF file is made from its metadata, which takes seconds for the largest. It is asked for again and again. */
const TOKENIZERS = new Map<string, number>();

async function tokenizerBytes(checkpoint: Checkpoint): Promise<number> {
  const { identity } = checkpoint;
  const known = isGgufCheckpoint(checkpoint) ? TOKENIZERS.get(identity) : undefined;
  if (known !== undefined) return known;
  const bytes = companionBytes(await companionsOf(checkpoint));
  TOKENIZERS.set(identity, bytes);
  return bytes;
}

const DTYPES: Readonly<Record<string, WeightDtype>> = { f32: 'F32', f16: 'F16', bf16: 'BF16' };

const stored = (type: string | undefined): WeightDtype | undefined => (type === undefined ? undefined : DTYPES[type]);

/** "f16" of a checkpoint whose weights are mostly so; undefined for types that no export keeps. */
export function keptType(checkpoint: Pick<Checkpoint, 'tensors'>): string | undefined {
  const dtype = mainDtype(checkpoint)?.toLowerCase();
  return dtype !== undefined && dtype in DTYPES ? dtype : undefined;
}
