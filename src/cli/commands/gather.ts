/** `coppice gather`: the record of a run from the records of its parts. */
import type { Command } from 'commander';
import { dirname, resolve } from 'node:path';
import { gatherParts, writeGathered } from '../../jobs/parts/gather';
import { partFilesIn } from '../../jobs/parts/files';
import { looksLikeRecord } from '../../engine/records/record';
import { checkFileTarget } from '../../jobs/file-target';
import { acceptedCompute } from '../../jobs/options/compute';
import { formatSeconds } from '../../format/durations';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { UsageError } from '../failure';
import { addCommonOptions, addOptions, type CommonOptions } from '../options';
import { facts } from '../terminal/text';

interface Options extends CommonOptions {
  readonly out: string;
}

export function addGather(program: Command, exit: Exit): void {
  const command = program
    .command('gather')
    .summary('make one record from the parts of a run')
    .description(
      'Joins the partial records of a job that ran in parts (--part) into the record that one process would have written: ' +
        'the same numbers to the last bit, in whatever order the parts ran. Says which parts are missing.',
    )
    .argument('<part...>', 'partial records, or folders of them')
    .requiredOption('--out <file>', 'file for the record');
  addOptions(addCommonOptions(command), acceptedCompute)
    .addHelpText(
      'after',
      `
Examples:
  coppice score ./SmolLM2-135M --calibration prose.txt --part 1/2 --record part-1.json
  coppice score ./SmolLM2-135M --calibration prose.txt --part 2/2 --record part-2.json
  coppice gather part-1.json part-2.json --out scores.json
  coppice gather ./parts --out scores.json`,
    )
    .action(async (parts: string[], options: Options) => {
      exit(await execute({ kind: 'gather', options }, (shell) => gather(parts, options, shell)));
    });
}

async function gather(given: readonly string[], { out, record: other }: Options, shell: Shell): Promise<Outcome> {
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
