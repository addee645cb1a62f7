/**
 * The unpruned model that a written checkpoint comes from, if it lies near: records name their model by name and identity,
 * never by path, so only folders of that name beside the checkpoint (and in folders of the caller's choice) are looked at.
 */
import { dirname, join } from 'node:path';
import { openCheckpoint } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { recordAt } from './in-gguf';

/** Length of a chain of records that is followed: pruned, healed, retrained, merged, several times. */
const MAX_ANCESTORS = 16;

/** Kinds of runs whose output is a model that they changed. */
const MAKERS = ['prune', 'width', 'heal', 'retrain', 'merge', 'iterate'];

export interface Original {
  /** Name of the oldest ancestor that records name. */
  readonly name: string;
  /** Undefined if it is not found. */
  readonly checkpoint?: Checkpoint;
}

/**
 * @param near folders that may hold models, besides the checkpoint's own neighbours
 * @returns undefined for a model that no record says Coppice made
 */
export async function originalOf(checkpoint: Checkpoint, near: readonly string[] = []): Promise<Original | undefined> {
  let original: Original | undefined;
  let at = checkpoint;
  for (let step = 0; step < MAX_ANCESTORS; step++) {
    const parent = await parentOf(at.tokenizer);
    if (!parent) return original;
    const folders = [...new Set([dirname(at.tokenizer), dirname(checkpoint.tokenizer), ...near])];
    const found = await findModel(parent, folders);
    original = { name: parent.name, ...(found && { checkpoint: found }) };
    if (!found) return original;
    at = found;
  }
  return original;
}

interface Named {
  readonly name: string;
  readonly identity: string;
}

/** The model that the run read whose record lies at `place`: in a folder, or in a GGUF file. */
async function parentOf(place: string): Promise<Named | undefined> {
  const record = await recordAt(place);
  if (!record || !MAKERS.includes(record.kind)) return undefined;
  const model = record.inputs.find(({ role }) => role === 'model');
  return model?.identity === undefined ? undefined : { name: model.name, identity: model.identity };
}

/** The name comes from a file, so only its last part is used. */
async function findModel({ name, identity }: Named, folders: readonly string[]): Promise<Checkpoint | undefined> {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  if (last === '' || last === '.' || last === '..') return undefined;
  for (const folder of folders) {
    for (const place of [last, `${last}.gguf`]) {
      const found = await openCheckpoint(join(folder, place)).catch((error: unknown) => {
        if (error instanceof UserError) return undefined;
        throw error;
      });
      if (found?.identity === identity) return found;
    }
  }
  return undefined;
}
