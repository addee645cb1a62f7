/** The file of `--record`, for commands that are no jobs. Only a command that writes one loads this. */
import { dirname } from 'node:path';
import type { RunDetails } from '../engine/records/details';
import { textsIn, withPlaces } from '../engine/records/places';
import { looksLikeRecord, newRecord, writeRecord } from '../engine/records/record';
import { checkFileTarget } from '../jobs/file-target';

/** Refuses a file that cannot be written, before the command begins. @throws UserError */
export const checkRecordFile = (record: string, source: string | undefined, asked: unknown): Promise<void> =>
  checkFileTarget('the record', record, source, textsIn(asked), looksLikeRecord);

interface Finished {
  readonly kind: string;
  readonly run: RunDetails;
  readonly results: object;
  readonly notes: readonly string[];
  readonly started: Date;
}

/** @param asked what may name the places of inputs */
export async function writeRecordFile(record: string, asked: unknown, finished: Finished): Promise<void> {
  const { run, ...facts } = finished;
  const inputs = withPlaces(run.inputs, asked, dirname(record), process.cwd());
  await writeRecord(record, newRecord({ ...run, ...facts, inputs }));
}
