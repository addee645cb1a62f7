/**
 * The programs in which a draft can propose tokens, as far as a forecast depends on them: what they take as a proposed token, and
 * which files they read. Pure data, which definitions of jobs import. Versions and sources: docs/guide/drafts.md.
 */
import type { ExportFormat } from '../write/formats';
import type { OnnxKind } from '../write/onnx/kinds';

export const RUNTIMES = ['genai', 'transformers', 'llama.cpp', 'node-llama-cpp'] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** Types of weights, by llama.cpp's names. In ONNX q8_0 and q4_0 stand for blocks of 8 and 4 bits. */
export const PAIR_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'] as const;
export type PairType = (typeof PAIR_TYPES)[number];

/** `stored`: every weight as the model has it. */
export type HeldType = PairType | 'stored';

/**
 * When a proposed token is taken. greedy: it is the target's most likely one. match: the target draws, and drew it.
 * rejection: by chance, so that the target's distribution is kept (Leviathan et al. 2023).
 */
export type Rule = 'greedy' | 'match' | 'rejection';

export interface RuntimeFacts {
  /** As its own pages write it. */
  readonly title: string;
  readonly format: ExportFormat;
  /** Types that it computes in on a CPU. */
  readonly types: readonly PairType[];
  /** Where no type of the target is named. */
  readonly usual: HeldType;
  /** Rule where tokens are drawn. */
  readonly drawing: Exclude<Rule, 'greedy'>;
  /** Whether a draft can end where it is not sure; inclusive: the token that ends it is proposed all the same. */
  readonly threshold: 'none' | 'exclusive' | 'inclusive';
  /** The shortest draft that it should get. */
  readonly shortest: number;
}

const GGUF = { format: 'gguf', types: PAIR_TYPES, usual: 'stored', drawing: 'match' } as const;

export const RUNTIME_FACTS: Readonly<Record<Runtime, RuntimeFacts>> = {
  genai: {
    title: 'onnxruntime-genai',
    format: 'onnx',
    types: ['f32', 'q8_0', 'q4_0'],
    usual: 'f32',
    drawing: 'rejection',
    threshold: 'none',
    shortest: 2, // with one token at once it makes a second pass of the model in each round
  },
  transformers: {
    title: 'transformers',
    format: 'safetensors',
    types: ['f32', 'f16', 'bf16'],
    usual: 'stored',
    drawing: 'rejection',
    threshold: 'inclusive',
    shortest: 1,
  },
  'llama.cpp': { title: 'llama.cpp', ...GGUF, threshold: 'exclusive', shortest: 1 },
  'node-llama-cpp': { title: 'node-llama-cpp', ...GGUF, threshold: 'none', shortest: 1 },
};

/** In which kind of ONNX model a type is written. */
export const ONNX_KIND: Readonly<Partial<Record<HeldType, OnnxKind>>> = { f32: 'fp32', q8_0: 'q8', q4_0: 'q4' };

/** The model itself in fewer bits, which costs no search: the bar for every other draft. */
export const TRIVIAL_TYPES = ['q8_0', 'q4_0'] as const satisfies readonly PairType[];

/** Bits of a weight, with scales. Source of Q types: llama.cpp's blocks of 32 weights. */
export const BITS: Readonly<Record<PairType, number>> = {
  ...{ f32: 32, f16: 16, bf16: 16, q8_0: 8.5 },
  ...{ q5_1: 6, q5_0: 5.5, q4_1: 5, q4_0: 4.5 },
};
