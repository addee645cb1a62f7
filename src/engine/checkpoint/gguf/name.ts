/** Which checkpoints lie in GGUF files, and what they are called. */
import { basename } from 'node:path';
import { isBlockType } from '../../formats/dtype';
import type { Checkpoint } from '../types';

/** Whether the checkpoint lies in GGUF files. */
export const isGgufCheckpoint = ({ format }: Pick<Checkpoint, 'format'>): boolean =>
  format === 'gguf' || format === 'gguf-sharded';

/** Whether a GGUF file has weights in types that no other format has: pruned to safetensors they become float32. */
export const isQuantizedGguf = (checkpoint: Pick<Checkpoint, 'format' | 'tensors'>): boolean =>
  isGgufCheckpoint(checkpoint) && [...checkpoint.tensors.values()].some(({ dtype }) => isBlockType(dtype));

/** The name of a model in GGUF files: that of the file without its end, and without its number among several. */
export const nameOfGguf = (path: string): string =>
  basename(path)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
