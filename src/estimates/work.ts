/**
 * What takes the time of a job: products, weights that decoding reads, and files. How fast a machine does each is in
 * `machine.ts`. Pure arithmetic on architectures.
 */
import type { Architecture } from '../engine/checkpoint/architecture';
import { parametersOf, parametersReadOf } from '../engine/checkpoint/parameters';
import {
  effortOf,
  evaluationFlops,
  type EstimatedWork,
  rowBlockFlops,
  type RowShape,
  writingFlops,
} from '../engine/importance/estimate';
import type { ModelFacts } from './models';

/**
 * What is counted in bytes: weights that a decoded token reads, files that are read and written, models that are opened,
 * weights that are compared with those of another file, and weights that training moves. Those of opened and compared models
 * have 32 bits: they are read, dequantized and put into sessions that compute.
 */
export const STREAMS = ['decode', 'files', 'opened', 'compared', 'moved'] as const;

export type Stream = (typeof STREAMS)[number];

/** Work that is done at a speed of its own. */
export type Work =
  /** @property size operations of a mean block: small models are slower for their size */
  | { readonly kind: 'products'; readonly work: EstimatedWork; readonly flops: number; readonly size: number }
  | { readonly kind: 'files' | 'opened' | 'compared' | 'moved'; readonly bytes: number }
  /** @property perToken bytes that a token reads: models that a cache holds are another thing */
  | { readonly kind: 'decode'; readonly bytes: number; readonly perToken: number }
  /** Takes the same time on every machine. */
  | { readonly kind: 'seconds'; readonly seconds: number };

/** Tokens of the row by which a model's size is told, however long the rows of its work are. */
const SIZING_ROW = 128;

export const products = (architecture: Architecture, work: EstimatedWork, flops: number): Work => ({
  ...{ kind: 'products', work, flops },
  size: rowBlockFlops(architecture, SIZING_ROW),
});

/** Reading texts: the model's loss on rows. */
export const evaluating = (architecture: Architecture, rows: RowShape, removed: readonly number[] = []): Work =>
  products(architecture, 'evaluate', evaluationFlops(architecture, rows, removed));

/** Writing many texts side by side. */
export const writingTexts = (architecture: Architecture, rows: RowShape): Work =>
  products(architecture, 'write', writingFlops(architecture, rows));

/** Writing a text token by token: each token reads every weight. */
export function decoding(architecture: Architecture, tokens: number, bytesPerWeight = 4): Work {
  const perToken = bytesPerWeight * parametersReadOf(architecture);
  return { kind: 'decode', perToken, bytes: tokens * perToken };
}

export const files = (bytes: number): Work => ({ kind: 'files', bytes });

/*
 * A token of the vocabulary, which goes into the tokenizer, takes as long as so many bytes of weights in 16 or 32 bits. Quantized
 * weights take so many times as long: SmolLM2 in Q4_1 2.2, Gemma 3 270M in Q4_K_M 4.8 (`npm run bench -- estimates`).
 */
const TOKEN_BYTES = 6000;
const QUANTIZED = 3.25;

/** How a model is opened. */
interface Opening {
  /** With the words of its tokenizer. */
  readonly texts?: boolean;
  /** Its file has weights of less than 16 bits. */
  readonly quantized: boolean;
}

/** Opening a model that computes. */
export const opening = (architecture: Architecture, { texts = false, quantized }: Opening): Work => ({
  kind: 'opened',
  bytes:
    4 * parametersOf(architecture) * (quantized ? QUANTIZED : 1) + (texts ? TOKEN_BYTES * architecture.vocabulary : 0),
});

/** Of starting a job, in seconds: a guess that keeps tiny models from seeming to take no time. */
const START = 0.3;

/** A job's start, which reads the model's files. */
export const starting = ({ bytes }: Pick<ModelFacts, 'bytes'>): Work[] => [
  { kind: 'seconds', seconds: START },
  files(bytes),
];

/** The model computes, and is opened for that. */
export const computes = (work: readonly Work[]): boolean =>
  work.some((each) => each.kind === 'decode' || (each.kind === 'products' && effortOf(each.work) !== 'reading')) &&
  !work.some(({ kind }) => kind === 'compared');

/** Work of one kind as one, so that the whole of it is learned from. */
export function merged(all: readonly Work[]): Work[] {
  const found = new Map<string, Work>();
  for (const each of all) {
    const key = each.kind === 'products' ? `${each.kind} ${each.work}` : each.kind;
    const before = found.get(key);
    found.set(key, before === undefined ? each : sum(before, each));
  }
  return [...found.values()];
}

function sum(one: Work, other: Work): Work {
  if (one.kind === 'products' && other.kind === 'products') return { ...one, flops: one.flops + other.flops };
  if (one.kind === 'seconds' && other.kind === 'seconds') return { ...one, seconds: one.seconds + other.seconds };
  return 'bytes' in one && 'bytes' in other ? { ...one, bytes: one.bytes + other.bytes } : one;
}
