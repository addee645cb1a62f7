/** `--part 3/8` of a job: runs one part and writes its partial record. */
import { memoryOfParts } from '../../cluster/estimate';
import { type Part, partText } from '../../engine/parts/part';
import { formatSeconds } from '../../format/durations';
import { completeOptions } from '../../jobs/complete';
import { JOBS } from '../../jobs/definitions';
import type { OptionsFor } from '../../jobs/kinds';
import { type CutKind, isShared, type PartResults } from '../../jobs/parts/part-record';
import { partFile } from '../../jobs/parts/places';
import { progressFileOf } from '../../jobs/parts/progress-file';
import { requireCut, runPart } from '../../jobs/parts/run-part';
import { runSharedPart } from '../../jobs/parts/run-shared';
import { fileFor } from '../../jobs/run-job';
import { partClaimOf } from '../../sharing/claims';
import { inTurn } from '../../sharing/turn';
import type { JsonObject } from '../../format/json';
import type { Outcome, Shell } from '../execute';
import { asUsage, UsageError } from '../failure';
import type { CommonOptions } from '../options';
import { facts } from '../terminal/text';

export async function runOnePart(
  kind: CutKind,
  given: object,
  { part, folder }: { readonly part: Part; readonly folder?: string },
  common: CommonOptions,
  shell: Shell,
): Promise<Outcome> {
  if (isShared(kind)) return runOneShared(kind, given, { part, folder }, common, shell);
  const { record } = common;
  const { job, note, warn, shown } = shell;
  if (record === undefined) {
    throw new UsageError(
      `--part ${partText(part)} has nowhere to write`,
      'the numbers of a part go to its partial record, and no file is given',
      `Add --record part-${part.number}.json.`,
    );
  }
  const options = completeCut(kind, given);
  const place = fileFor(record);
  const progressFile = progressFileOf(record);
  const claim = partClaimOf(kind, given as JsonObject, await memoryOfParts(kind, options, part.of));
  const waiting = { signal: job.signal, onWait: (why: string) => note(`waits: ${why}`) };
  const { results } = await inTurn(claim, waiting, () =>
    runPart(kind, options, part, { job, hooks: {}, note, warn, place, progressFile }),
  );
  return { json: { record, ...summaryOf(results) }, page: pageOf(results, shown(record)) };
}

const completeCut = (kind: CutKind, given: object): OptionsFor<CutKind> =>
  asUsage(() => {
    const complete = completeOptions(JOBS[kind], given) as OptionsFor<CutKind>;
    requireCut(kind, complete);
    return complete;
  });

/** The same of a job whose parts go on together: their records are in the folder where they meet. */
async function runOneShared(
  kind: CutKind,
  given: object,
  { part, folder }: { readonly part: Part; readonly folder?: string },
  { record }: CommonOptions,
  { job, note, warn, shown }: Shell,
): Promise<Outcome> {
  if (record !== undefined || folder === undefined) {
    throw new UsageError(
      record === undefined
        ? `--part ${partText(part)} of ${kind} needs a folder`
        : `a part of ${kind} takes no --record`,
      'its parts go on together: they meet in a folder that all machines see, and their records are there too',
      `Name the same folder for all parts: --folder ./${kind}-parts.`,
    );
  }
  const options = completeCut(kind, given);
  const outcome = await runSharedPart(kind, options, part, { folder, job, hooks: {}, note, warn });
  const file = partFile(folder, part.number);
  if (outcome === undefined) {
    const page = facts([
      ['part', `${partText(part)} of ${kind}: another process did it`],
      ['record', shown(file)],
    ]);
    return { json: { record: file, part: { job: kind, ...part }, elsewhere: true }, page };
  }
  const { results } = outcome;
  return { json: { record: file, ...summaryOf(results) }, page: pageOf(results, shown(file)) };
}

/** What `--json` prints of a part: all but the numbers, which are in its record. */
const summaryOf = ({ part, share, work, seconds, peakRssBytes }: PartResults): object => ({
  part,
  ...(share && { share }),
  work,
  seconds,
  peakRssBytes,
});

function pageOf({ part, work, seconds }: PartResults, record: string): string[] {
  return facts([
    ['part', `${part.number} of ${part.of}`],
    ['work', work],
    ['time', formatSeconds(seconds)],
    ['record', record],
  ]);
}
