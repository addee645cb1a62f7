/** Checks whether the checkpoints of a run changed while it ran. If so, its numbers may belong to neither state. */
import { changedFiles } from '../files/stamps';
import type { Checkpoint } from '../checkpoint/types';
import { modelName, type RunRecord } from './record';

/** The changes since the checkpoints were opened, one sentence per file, for the user and the record of the run. */
export async function sourceChanges(checkpoints: readonly Checkpoint[]): Promise<string[]> {
  const notes: string[] = [];
  for (const checkpoint of new Set(checkpoints)) {
    for (const { name, how } of await changedFiles(checkpoint.files)) {
      const what = `${name} of ${modelName(checkpoint)} changed during the run: ${how}`;
      notes.push(`${what}; the results may come from the old file, the new one, or both`);
    }
  }
  return notes;
}

/** The record with additional notes. */
export function withNotes(record: RunRecord, notes: readonly string[]): RunRecord {
  return notes.length === 0 ? record : { ...record, notes: [...(record.notes ?? []), ...notes] };
}
