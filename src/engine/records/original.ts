/**
 * The unpruned model that a written checkpoint comes from, if it lies near: records name their model by name and identity,
 * never by path, so only folders of that name beside the checkpoint (and in folders of the caller's choice) are looked at.
 */
import { dirname } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { recordAt } from './in-gguf';
import { recordKind } from './kinds';
import { type Source, sourceOf } from './source';

/** Length of a chain of records that is followed: pruned, healed, retrained, merged, several times. */
const MAX_ANCESTORS = 16;

/** The oldest ancestor that records name. */
export type Original = Source;

/**
 * @param near folders that may hold models, besides the checkpoint's own neighbours
 * @returns undefined for a model that no record says Coppice made
 */
export async function originalOf(checkpoint: Checkpoint, near: readonly string[] = []): Promise<Original | undefined> {
  let original: Original | undefined;
  let at = checkpoint;
  for (let step = 0; step < MAX_ANCESTORS; step++) {
    const record = await recordAt(at.home);
    if (!record || !recordKind(record.kind).writes) return original;
    const folders = [...new Set([dirname(at.home), dirname(checkpoint.home), ...near])];
    const source = await sourceOf(record, folders);
    if (!source) return original;
    original = source;
    if (!source.checkpoint) return original;
    at = source.checkpoint;
  }
  return original;
}
