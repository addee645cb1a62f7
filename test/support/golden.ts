/**
 * The golden numbers with their types; what each one means is said in test/golden/README.md. Those of the sample model and of
 * Gemma 3 270M are part of the repository, the others lie beside it.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gemma3Gguf, shared, smollm2Folder } from './shared';

const ROOT = resolve(import.meta.dirname, '../..');

/** The toy checkpoints: one family or feature each, 6 blocks, hidden 64, vocabulary 320. */
export const FAMILIES = [
  'llama-plain',
  'llama-bias',
  'llama3-rope',
  'llama-linear-rope',
  'mistral-window',
  'qwen2-mixed-windows',
  'qwen3-qknorm',
] as const;

/** The toys of further families, one feature each, 7 to 9 blocks, vocabulary 320. */
export const FURTHER_FAMILIES = [
  'gemma-tied',
  'gemma2-softcap',
  'gemma3-pattern',
  'gemma3-five-to-one',
  'phi3-partial',
  'phi3-longrope',
  'granite-multipliers',
  'olmo2-postnorm',
  'smollm3-nope',
  'llama-yarn',
  'llama-dynamic',
] as const;

/** The toys with experts, some blocks of the first two dense. */
export const EXPERT_FAMILIES = [
  'qwen3moe-norm',
  'qwen3moe-step',
  'mixtral-top2',
  'olmoe-clip',
  'gptoss-sinks',
  'granite4-hybrid',
] as const;

/** The toys of families with other blocks than attention and a dense FFN, 7 to 9 blocks, vocabulary 288. */
export const MIXED_FAMILIES = [
  'lfm2-conv',
  'granite4-dense',
  'falconh1-parallel',
  'qwen35-text',
  'qwen35-nested',
] as const;

/** Those whose blocks carry other states than keys and values. */
export const CARRYING_FAMILIES = [
  'lfm2-conv',
  'falconh1-parallel',
  'qwen35-text',
  'qwen35-nested',
  'granite4-hybrid',
] as const;

/** Those whose rotation depends on the length have results for shorter rows too: their logits and perplexities. */
export const SHORT_ROWS = ['phi3-longrope', 'llama-dynamic'] as const;

/** Those whose recurrences are cut into pieces of 64 tokens have results for rows of 150. */
export const LONG_ROWS = ['falconh1-parallel', 'qwen35-text'] as const;

/** A checkpoint with golden numbers, named as its folder below golden/. */
export type GoldenName =
  | 'sample'
  | 'smollm2-135m'
  | 'gemma-3-270m'
  | 'stories260K'
  | `families/${(typeof FAMILIES)[number] | 'llama-mha'}`
  | `families2/${(typeof FURTHER_FAMILIES)[number]}`
  | `families2/${(typeof SHORT_ROWS)[number]}-short`
  | `families3/${(typeof LONG_ROWS)[number]}-long`
  | `families3/${(typeof EXPERT_FAMILIES)[number] | (typeof MIXED_FAMILIES)[number]}`;

/** The checkpoints that are small enough for every test. */
export const SMALL_CHECKPOINTS: readonly GoldenName[] = [
  'stories260K',
  ...FAMILIES.map((family) => `families/${family}` as const),
  ...FURTHER_FAMILIES.map((family) => `families2/${family}` as const),
  ...MIXED_FAMILIES.map((family) => `families3/${family}` as const),
];

/** Those with experts. */
export const EXPERT_CHECKPOINTS: readonly GoldenName[] = EXPERT_FAMILIES.map(
  (family) => `families3/${family}` as const,
);

/** Whether the checkpoint has the experts of a block in one tensor, which has one golden number. */
export const hasStacks = (name: GoldenName): boolean => /gptoss-sinks|granite4-hybrid/.test(name);

/** The name of the tensor with an expert's weight in such a file; others stay. */
export const inStack = (name: string): string =>
  name
    .replace(/^(.*\.block_sparse_moe)\.experts\.\d+\.(?:gate|up)_proj(?=\.weight$)/, '$1.input_linear')
    .replace(/^(.*\.block_sparse_moe)\.experts\.\d+\.down_proj(?=\.weight$)/, '$1.output_linear')
    .replace(/\.experts\.\d+\.(?:gate|up)_proj\.(weight|bias)$/, '.experts.gate_up_proj.$1')
    .replace(/\.experts\.\d+\.down_proj\.(weight|bias)$/, '.experts.down_proj.$1')
    .replace(/\.experts\.(gate_up|down)_proj\.weight$/, '.experts.$1_proj')
    .replace(/\.experts\.(gate_up|down)_proj\.bias$/, '.experts.$1_proj_bias');

export type Half = 'attention' | 'ffn';

/** A number; the non-finite ones are strings. */
export type GoldenNumber = number | 'Infinity' | '-Infinity' | 'NaN';

/** One text and its ids; `text` is null for the empty list of ids. */
export interface GoldenTokens {
  readonly text: string | null;
  readonly idsWithoutSpecials: readonly number[];
  readonly idsWithSpecials: readonly number[];
  readonly decoded: string;
  readonly decodedSkippingSpecials: string;
}

/** Indexed `[row][position][vocabulary id]`, the last two through `positions` and `vocabularyIds`. */
export interface GoldenLogits {
  readonly rows: readonly number[][];
  readonly positions: readonly number[];
  readonly vocabularyIds: readonly number[];
  readonly logits: readonly number[][][];
  readonly logSumExp: readonly number[][];
  readonly argmax: readonly number[][];
  /** `[row][k]`, k = 0 … L. */
  readonly residualNorms: readonly number[][];
}

export interface GoldenLoss {
  readonly meanNll: number;
  readonly ppl: GoldenNumber;
  /** Mean loss of each row. */
  readonly rows: readonly number[];
}

/** A loss of a model that may have experts. */
export interface GoldenRouted {
  readonly meanNll: number;
  /** The smallest difference between the logits of the last expert that a token chose and of the next one. */
  readonly routerMargin?: number;
}

export interface GoldenMagnitude {
  readonly tensors: readonly {
    readonly block: number;
    /** Below the block: "self_attn.q_proj.weight". */
    readonly name: string;
    readonly sum: number;
    readonly mean: number;
    readonly max: number;
    readonly logProd: GoldenNumber;
  }[];
  readonly blocks: readonly number[];
  readonly order: readonly number[];
}

export interface GoldenImportance {
  readonly full: GoldenLoss;
  readonly ppl: {
    readonly blocks: readonly (GoldenLoss & { readonly block: number })[];
    readonly order: readonly number[];
  };
  readonly modules: {
    readonly modules: readonly (GoldenRouted & {
      readonly block: number;
      readonly part: Half;
      readonly ppl: GoldenNumber;
    })[];
    readonly order: readonly { readonly block: number; readonly part: Half }[];
  };
  readonly magnitude: { readonly l1: GoldenMagnitude; readonly l2: GoldenMagnitude };
  readonly blockInfluence: { readonly blocks: readonly number[]; readonly order: readonly number[] };
  readonly angular: {
    readonly windows: readonly { readonly start: number; readonly size: number; readonly score: number }[];
  };
  readonly greedy: {
    readonly removals: readonly { readonly block: number; readonly meanNll: number; readonly margin: number | null }[];
  };
  readonly taylor: {
    /** `name` is below the block, as in `magnitude`. */
    readonly tensors: readonly { readonly block: number; readonly name: string; readonly score: number }[];
    readonly blocks: readonly number[];
    readonly order: readonly number[];
  };
  /** L2 norm of the gradient of every parameter, by its name in the checkpoint. */
  readonly gradients: readonly { readonly name: string; readonly norm: number }[];
}

/** Rows of one optimiser's step; label −100 is masked, label i belongs to token i. */
export interface GoldenBatch {
  readonly ids: readonly number[][];
  readonly labels: readonly number[][];
}

/** A training run: its settings, its batches (one a step) and what came out. */
export interface GoldenTraining {
  readonly steps: number;
  readonly warmup: number;
  readonly lr: number;
  readonly clip: number;
  readonly weightDecay: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly batches: readonly GoldenBatch[];
  readonly firstLoss: number;
  /** Norm, and dot product with the formula's u(n, 7). */
  readonly firstGradients: readonly { readonly name: string; readonly norm: number; readonly dot: number }[];
  readonly trace: readonly {
    readonly step: number;
    readonly loss: number;
    readonly lr: number;
    readonly gradNorm: number;
  }[];
  readonly lossAfterOnFirstBatch: number;
}

export interface GoldenLora extends GoldenTraining {
  readonly removed: readonly number[];
  /** Of the toys with other blocks: the Linears that are adapted, by their names below a block. */
  readonly targets?: readonly string[];
  readonly rank: number;
  readonly alpha: number;
  readonly mergedFloat32: number;
  readonly mergedSourceDtype: { readonly dtype: string; readonly loss: number };
}

/** Losses of rows, which begin with BOS where the model's texts do. */
export interface GoldenDrawn extends Pick<GoldenImportance, 'full' | 'ppl'> {
  readonly rows: readonly number[][];
}

/** A state: norm and dot product with u(n, 7). */
export interface GoldenState {
  readonly shape: readonly number[];
  readonly norm: number;
  readonly dot: number;
}

/** What blocks keep after the first `prefix` ids of the first calibration row. */
export interface GoldenStates {
  readonly prefix: number;
  readonly layers: readonly {
    readonly block: number;
    /** The last inputs of the convolution, the oldest first: (1, channels, K). */
    readonly conv?: GoldenState;
    readonly recurrent?: GoldenState;
    readonly keys?: GoldenState;
    readonly values?: GoldenState;
  }[];
}

/** Greedy continuation of one prompt; `margins[i]` is how far the chosen logit was ahead at step i. */
export interface GoldenContinuation {
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  readonly smallestMargin: number;
  readonly margins: readonly number[];
}

export interface GoldenGreedy {
  readonly newTokens: number;
  readonly removed: readonly number[];
  /** Mean loss of the written pruned model over all rows; of the toys with other blocks. */
  readonly meanNllPruned?: number;
  readonly full: readonly GoldenContinuation[];
  readonly pruned: readonly GoldenContinuation[];
}

export interface GoldenPerplexity {
  readonly mode: 'stream' | 'window' | 'none';
  readonly windows: number;
  readonly window: number;
  readonly tokens: number;
  readonly meanNll: number;
  readonly ppl: number;
}

/** WikiText-2 perplexities of SmolLM2. */
export interface GoldenPerplexities {
  readonly removed: readonly number[];
  readonly bos: number;
  readonly full: readonly GoldenPerplexity[];
  readonly pruned: readonly GoldenPerplexity[];
}

/** One correction; a fold names no tensor, and scalar has `s` alone. */
export interface GoldenHealStep {
  readonly block: number;
  readonly tensor?: 'o_proj' | 'down_proj';
  readonly removed?: readonly (number | string)[];
  readonly traceGram?: number;
  readonly medianGram?: number;
  readonly normCross?: number;
  readonly normDelta?: number;
  /** Only auto; null: none helps. */
  readonly ridge?: number | null;
  readonly heldErrors?: readonly number[];
  readonly errorBefore?: number;
  readonly errorAfter?: number;
  readonly weight?: { readonly norm: number; readonly dot: number };
  /** Of the norm behind the Linear, in families that have one. */
  readonly normWeight?: { readonly norm: number; readonly dot: number };
  readonly s?: number;
}

export interface GoldenLikeness {
  readonly meanNll: number;
  readonly kl: number;
}

export interface GoldenHealed extends GoldenLikeness {
  readonly steps: readonly GoldenHealStep[];
  readonly rounded: GoldenLikeness;
}

/** `auto` is a refit that chooses its ridge; the others have the ridges of the file. */
export const GOLDEN_HEALINGS = ['scalar', 'fold', 'refit', 'auto'] as const;

export interface GoldenHeal {
  /** Absent where a fold has no form. */
  readonly foldRidge?: number;
  readonly refitRidge: number;
  readonly step: number;
  readonly stepCut: number;
  readonly grid: readonly number[];
  readonly fileDtype: 'float32' | 'bfloat16';
  readonly dense: GoldenLikeness;
  readonly cases: readonly ({
    readonly removed: readonly number[];
    readonly plain: GoldenLikeness;
  } & Readonly<Partial<Record<(typeof GOLDEN_HEALINGS)[number], GoldenHealed>>>)[];
  readonly klGreedy: {
    readonly protect: readonly number[];
    readonly removals: readonly (GoldenLikeness & { readonly block: number; readonly margin: number | null })[];
  };
}

/** A vector: its L2 norm and its dot product with u(n, 7); in full for small models. */
export interface GoldenRecord {
  readonly norm: number;
  readonly dot: number;
  readonly values?: readonly number[];
}

export interface GoldenUnitScores {
  readonly groups: readonly number[];
  readonly neurons: GoldenRecord;
}

export interface GoldenNarrowed {
  readonly ratio: number;
  readonly parameters: number;
  readonly meanNll: number;
  readonly layers: readonly {
    readonly groups: readonly number[];
    readonly neurons: number;
    readonly mask: string;
    readonly groupCut: readonly [number, number] | null;
    readonly neuronCut: readonly [number, number] | null;
    /** Only FLAP. */
    readonly attentionBias?: GoldenRecord;
    readonly ffnBias?: GoldenRecord;
    /** Only Wanda-sp. */
    readonly scores?: GoldenUnitScores;
  }[];
  /** Only FLAP. */
  readonly threshold?: number;
  readonly meanNllWithoutBias?: number;
}

/** Of stories260K, SmolLM2, llama-mha, llama-plain and llama-bias. */
export interface GoldenWidth {
  readonly full: { readonly parameters: number; readonly meanNll: number };
  readonly llmPruner: {
    readonly range: readonly [number, number];
    readonly layers: readonly GoldenUnitScores[];
    readonly pruned: readonly GoldenNarrowed[];
  };
  readonly flap: {
    readonly groupCost: number;
    readonly layers: readonly (GoldenUnitScores &
      Readonly<Record<'attentionMean' | 'attentionFluctuation' | 'ffnMean' | 'ffnFluctuation', GoldenRecord>>)[];
    readonly pruned: readonly GoldenNarrowed[];
  };
  readonly wandaSp: { readonly pruned: readonly GoldenNarrowed[] };
}

/** Scores of experts, and models with fewer of them. Of the toys with experts. */
export interface GoldenExperts {
  readonly experts: number;
  readonly perToken: number;
  readonly full: GoldenLoss;
  readonly blocks: readonly {
    readonly block: number;
    readonly tokens: readonly number[];
    readonly gateMean: readonly number[];
    readonly scores: readonly number[];
  }[];
  readonly pruned: readonly {
    readonly method: 'reap' | 'frequency' | 'random';
    readonly ratio: number;
    readonly dropped: number;
    readonly kept: readonly { readonly block: number; readonly experts: readonly number[] }[];
    readonly parameters: number;
    readonly meanNll: number;
    /** Only of reap at 0.25. */
    readonly logits?: GoldenLogits;
  }[];
}

/** Path of one of a checkpoint's golden files. */
const goldenFile = (name: GoldenName, file: string): string =>
  name === 'sample' || name === 'gemma-3-270m' ? join(ROOT, 'test/golden', name, file) : shared('golden', name, file);

const read = (name: GoldenName, file: string): unknown => JSON.parse(readFileSync(goldenFile(name, file), 'utf8'));

export const goldenTokens = (name: GoldenName): GoldenTokens[] => read(name, 'tokens.json') as GoldenTokens[];
export const goldenLogits = (name: GoldenName): GoldenLogits => read(name, 'logits.json') as GoldenLogits;
export const goldenImportance = (name: GoldenName): GoldenImportance =>
  read(name, 'importance.json') as GoldenImportance;
/** Of SmolLM2 from the repository: in float64, where its other numbers are float32's (test/golden/README.md). */
export const goldenTaylor = (name: GoldenName): GoldenImportance['taylor'] =>
  name === 'smollm2-135m'
    ? (JSON.parse(readFileSync(join(ROOT, 'test/golden', name, 'taylor.json'), 'utf8')) as GoldenImportance['taylor'])
    : goldenImportance(name).taylor;
export const goldenLora = (name: GoldenName): GoldenLora => read(name, 'lora.json') as GoldenLora;
/** Not there for SmolLM2. */
export const goldenFullTraining = (name: GoldenName): GoldenTraining =>
  read(name, 'full_training.json') as GoldenTraining;
/** Of stories260K and SmolLM2. */
export const goldenHeal = (name: GoldenName): GoldenHeal => read(name, 'heal.json') as GoldenHeal;
/** Of a toy with norms behind its last Linears. */
export const goldenNorms = (toy: string): GoldenHeal =>
  JSON.parse(readFileSync(join(ROOT, 'test/golden/norms', `${toy}.json`), 'utf8')) as GoldenHeal;
export const goldenWidth = (name: GoldenName): GoldenWidth => read(name, 'width.json') as GoldenWidth;
export const goldenGreedy = (name: GoldenName): GoldenGreedy => read(name, 'greedy.json') as GoldenGreedy;
/** Of the toys with experts. */
export const goldenExperts = (name: GoldenName): GoldenExperts => read(name, 'experts.json') as GoldenExperts;
/** Rows that Coppice draws from a text by its defaults, and their losses. Of Gemma 3 270M. */
export const goldenDrawn = (name: GoldenName): GoldenDrawn => read(name, 'drawn.json') as GoldenDrawn;
export const goldenPerplexities = (): GoldenPerplexities =>
  read('smollm2-135m', 'perplexity.json') as GoldenPerplexities;

/** The config that transformers loaded after the golden removal, of a toy with other blocks. */
export const goldenPrunedConfig = (toy: (typeof MIXED_FAMILIES)[number]): unknown =>
  read(`families3/${toy}`, 'pruned-config.json');
/** Of a toy whose blocks carry other states than keys and values. */
export const goldenStates = (toy: (typeof CARRYING_FAMILIES)[number]): GoldenStates =>
  read(`families3/${toy}`, 'states.json') as GoldenStates;

/** Path of the calibration rows (`{rows}`), as `--calibration` takes it. */
export function calibrationFile(name: GoldenName): string {
  if (!name.startsWith('families')) return goldenFile(name, 'calibration.json');
  const [, length = ''] = /(-short|-long)$/.exec(name) ?? [];
  return shared('models', name.replace(/-(?:short|long)$/, ''), `rows${length}.json`);
}

/** The calibration rows. */
export function calibrationRows(name: GoldenName): number[][] {
  return (JSON.parse(readFileSync(calibrationFile(name), 'utf8')) as { rows: number[][] }).rows;
}

/** The checkpoint's folder or file. For SmolLM2 see `smollm2Folder`. */
export function checkpointFolder(name: GoldenName): string {
  if (name === 'sample') return join(ROOT, 'media/sample');
  if (name === 'smollm2-135m') return smollm2Folder();
  if (name === 'gemma-3-270m') return gemma3Gguf();
  return name === 'stories260K'
    ? shared('models/stories260K-f32')
    : shared('models', name.replace(/-(?:short|long)$/, ''));
}
