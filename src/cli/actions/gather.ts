/** `coppice gather`: the record of a run from the records of its parts. */
import { dirname, resolve } from 'node:path';
import { gatherParts, writeGathered } from '../../jobs/parts/gather';
import { partFilesIn } from '../../jobs/parts/files';
import { looksLikeRecord } from '../../engine/records/record';
import { checkFileTarget } from '../../jobs/file-target';
import { formatSeconds } from '../../format/durations';
import type { Outcome, Shell } from '../execute';
import { UsageError } from '../failure';
import type { CommonOptions } from '../options';
import { facts } from '../terminal/text';

export interface GatherOptions extends CommonOptions {
  readonly out: string;
}

export async function gather(
  given: readonly string[],
  { out, record: other }: GatherOptions,
  shell: Shell,
): Promise<Outcome> {
  if (other !== undefined) {
    throw new UsageError('gather takes no --record', 'the file that it makes is the record', 'Name it by --out alone.');
  }
  const files = await partFilesIn(given, out);
  await checkFileTarget('the record', out, undefined, files, looksLikeRecord);
  const { kind, parts, models, seconds, result, record, notes, warnings } = await gatherParts(
    files,
    dirname(resolve(out)),
    shell.job,
  );
  notes.forEach(shell.note);
  warnings.forEach(shell.warn);
  const isNew = await writeGathered(out, record);
  if (!isNew) shell.note(`${out} is there already, with the same contents`);
  return {
    json: result,
    page: facts([
      ['run', kind],
      ['model', models.map(shell.shown).join(', ')],
      ['parts', String(parts)],
      ['time', `${formatSeconds(seconds.all)} in all parts, ${formatSeconds(seconds.slowest)} in the slowest`],
      ['record', shell.shown(out)],
    ]),
  };
}
