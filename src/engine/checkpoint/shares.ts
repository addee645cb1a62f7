/** What of a model's files can go when blocks are removed: a vocabulary may be most of a small model. */
import { blockBytes } from './reduction';
import type { Checkpoint } from './types';
import { usedTensors } from './used-tensors';
import { keysByName } from './weight-key';

/** Shares of the bytes of all files. The rest is metadata, tokenizer and the last norm. */
export interface Shares {
  /** All blocks together: the most that removing blocks can save. */
  readonly blocks: number;
  /** The embedding, and the head if it is another matrix. */
  readonly embedding: number;
}

/** Null for a model that can only be inspected. */
export function sharesOf(checkpoint: Checkpoint): Shares | null {
  const { architecture, size } = checkpoint;
  if (!architecture || size.all === 0) return null;
  const keys = keysByName(architecture);
  const outer = usedTensors(checkpoint).filter(({ name }) => ['embed', 'head'].includes(keys.get(name) as string));
  const sum = (bytes: readonly number[]): number => bytes.reduce((total, each) => total + each, 0);
  return {
    blocks: sum(blockBytes(checkpoint)) / size.all,
    embedding: sum(outer.map(({ bytes }) => bytes)) / size.all,
  };
}
