/**
 * Writes the output of a run: an adapter, the checkpoint with the adapter merged, or the checkpoint with trained
 * weights.
 */
import type { JobOptions } from '../progress';
import type { Reduction } from '../checkpoint/reduction';
import type { RunRecord } from '../records/record';
import { sourceChanges, withNotes } from '../records/source-changes';
import type { Model } from '../model/model';
import { writeAdapter } from '../adapter/files';
import { mergeAdapter } from '../write/merge';
import type { RetrainResult } from './report';
import type { RetrainSettings } from './settings';
import type { PatchFile } from '../weights/patch-file';
import type { PreparedTraining } from './prepare';
import { writeTrainedCheckpoint } from './full/write-trained';

/** What was trained, and on what. */
interface TrainedOutput extends Pick<PreparedTraining, 'adapter' | 'parameters' | 'blocks'> {
  readonly healed?: PatchFile;
  /** An adapter takes the healed weights along: they were made for this run. */
  readonly takesHealed: boolean;
}

/**
 * @param settings of the record
 * @param record makes the record, given the size reduction of a written checkpoint
 * @throws UserError when it cannot be written, CancelledError; no partial output remains
 */
export async function writeOutput(
  { checkpoint }: Pick<Model, 'checkpoint'>,
  { out, dtype, merge, method }: Pick<RetrainSettings, 'out' | 'dtype' | 'merge' | 'method'>,
  { adapter, parameters, blocks, healed, takesHealed }: TrainedOutput,
  settings: Readonly<Record<string, unknown>> & { readonly removed: readonly number[] },
  record: (extra?: Reduction) => RunRecord,
  job: JobOptions,
): Promise<Pick<RetrainResult, 'out' | 'kind' | 'record' | 'leftBehind'>> {
  if (adapter && !merge) {
    const made = withNotes(record(), await sourceChanges([checkpoint]));
    const below = takesHealed ? healed?.path : undefined;
    const written = await writeAdapter(out, adapter(), checkpoint, made, below);
    return { kind: 'adapter', out: written, record: made, leftBehind: [] };
  }
  const written = adapter
    ? await mergeAdapter(checkpoint, adapter(), out, { ...job, dtype, healed, record, provenance: { settings } })
    : await writeTrainedCheckpoint(checkpoint, parameters, out, {
        ...job,
        removed: settings.removed,
        trained: blocks,
        healed,
        dtype,
        fromScratch: method.kind === 'full' && method.start === 'random',
        settings,
        record,
      });
  return { kind: 'checkpoint', out: written.out, record: written.record, leftBehind: written.leftBehind };
}
