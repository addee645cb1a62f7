/** The model that a run read, found by the run's record: records name it by name and identity, never by path. */
import { join } from 'node:path';
import { openCheckpoint } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import type { RunRecord } from './record';

export interface Source {
  readonly name: string;
  /** Undefined if it is not found. */
  readonly checkpoint?: Checkpoint;
}

/**
 * @param near folders that may hold it
 * @returns undefined if the record names no model
 */
export async function sourceOf({ inputs }: RunRecord, near: readonly string[]): Promise<Source | undefined> {
  const model = inputs.find(({ role }) => role === 'model');
  if (model?.identity === undefined) return undefined;
  const { name, identity } = model;
  const last = name.split(/[/\\]/).at(-1) ?? ''; // it comes from a file, so only its last part is used
  const places = ['', '.', '..'].includes(last) ? [] : [last, `${last}.gguf`];
  for (const folder of near) {
    for (const place of places) {
      const found = await openOrNothing(join(folder, place));
      if (found?.identity === identity) return { name, checkpoint: found };
    }
  }
  return { name };
}

async function openOrNothing(path: string): Promise<Checkpoint | undefined> {
  try {
    return await openCheckpoint(path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
