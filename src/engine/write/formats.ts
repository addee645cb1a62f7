/**
 * The formats that models are written in. Pure data, which definitions of jobs import; what writes each is in
 * `src/jobs/runs/export-writers.ts`, what plans its size in `src/estimates/written-bytes.ts`.
 */
import { GGUF_TYPES } from './gguf/kinds';
import { ONNX_KINDS } from './onnx/kinds';

/** As options and records name them. */
export const EXPORT_FORMATS = ['safetensors', 'gguf', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface FormatFacts {
  /** As its own pages write it. */
  readonly title: string;
  /** Programs that read it, as they write their own names. */
  readonly programs: readonly string[];
  /** Types of weights, as options name them. */
  readonly types: readonly string[];
  /** From what is taken most to what is taken least; quantized types that are not taken by name alone, from the finest to the coarsest. */
  readonly byUse: readonly string[];
  /** Types that are taken only where they are named: they lose much, or are nearly one of the others. */
  readonly byName?: readonly string[];
  /** What is written where no type is named: every weight keeps its own, or this one. */
  readonly unnamed: 'stored' | 'fp32';
  /** Of eight bits, which hardly change a model and halve it; the type that it has is proposed when undefined. */
  readonly proposed?: string;
  /** The model is one file, whose name ends so; else a folder. */
  readonly extension?: string;
  /** The folder has a model for each of several types. */
  readonly several?: true;
  /** What is written is a checkpoint, which Coppice opens. */
  readonly isCheckpoint: boolean;
  /** Options that no other format has a use for. */
  readonly options: readonly ('target' | 'modelfile' | 'imatrix')[];
}

const FLOATS: readonly string[] = ['f32', 'f16', 'bf16'];

export const FORMATS: Readonly<Record<ExportFormat, FormatFacts>> = {
  safetensors: {
    title: 'safetensors',
    programs: ['transformers', 'vLLM'],
    types: FLOATS,
    byUse: ['bf16', 'f16', 'f32'],
    unnamed: 'stored',
    isCheckpoint: true,
    options: [],
  },
  gguf: {
    title: 'GGUF',
    programs: ['llama.cpp', 'Ollama', 'LM Studio'],
    types: GGUF_TYPES,
    byUse: [
      ...['q8_0', 'q6_k', 'q5_k_m', 'q5_1', 'q5_0', 'q4_k_m', 'q4_1', 'q4_0', 'f16', 'bf16', 'f32'],
      ...['q5_k_s', 'q4_k_s', 'iq4_nl', 'q3_k_l', 'q3_k_m', 'q3_k_s', 'q2_k'],
    ],
    byName: ['q5_k_s', 'q4_k_s', 'iq4_nl', 'q3_k_l', 'q3_k_m', 'q3_k_s', 'q2_k'],
    unnamed: 'stored',
    proposed: 'q8_0',
    extension: '.gguf',
    isCheckpoint: true,
    options: ['modelfile', 'imatrix'],
  },
  onnx: {
    title: 'ONNX',
    programs: ['onnxruntime', 'transformers.js', 'onnxruntime-genai'],
    types: ONNX_KINDS,
    byUse: ['q8', 'q4', 'fp16', 'fp32'],
    unnamed: 'fp32',
    proposed: 'q8',
    several: true,
    isCheckpoint: false,
    options: ['target'],
  },
};

/** The format of a file by the end of its name; undefined for another, and for a folder. */
export const formatOfFile = (path: string): ExportFormat | undefined =>
  EXPORT_FORMATS.find((format) => {
    const { extension } = FORMATS[format];
    return extension !== undefined && path.toLowerCase().endsWith(extension);
  });
