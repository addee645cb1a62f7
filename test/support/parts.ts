/** Runs a job in parts and as a whole, in this process. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readRecord } from '../../src/engine/records/record';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { GivenFor, OptionsFor } from '../../src/jobs/kinds';
import { fileFor, runJob } from '../../src/jobs/run-job';
import type { RunResult } from '../../src/jobs/runs';
import { gatherParts, type GatheredRun, writeGathered } from '../../src/jobs/parts/gather';
import type { CutKind } from '../../src/jobs/parts/part-record';
import { progressFileOf } from '../../src/jobs/parts/progress-file';
import { runPart } from '../../src/jobs/parts/run-part';
import { temporaryFolder } from './temporary';

export const cutOptions = <K extends CutKind>(kind: K, given: GivenFor<K>): OptionsFor<K> =>
  completeOptions(JOBS[kind], { ...given, device: 'cpu', threads: 1 });

/** Runs one part. @returns its record's file */
export async function runPartOf<K extends CutKind>(
  kind: K,
  given: GivenFor<K>,
  number: number,
  of: number,
  folder: string,
): Promise<string> {
  const record = join(folder, `part-${number}-of-${of}.json`);
  const around = { job: {}, hooks: {}, place: fileFor(record), progressFile: progressFileOf(record) };
  await runPart(kind, cutOptions(kind, given), { number, of }, around);
  return record;
}

/** All parts, the last one first, and what they give together. */
export async function runInParts<K extends CutKind>(
  kind: K,
  given: GivenFor<K>,
  parts: number,
  folder = temporaryFolder(),
): Promise<GatheredRun & { readonly files: readonly string[] }> {
  const files: string[] = [];
  for (let number = parts; number >= 1; number--) files.push(await runPartOf(kind, given, number, parts, folder));
  return { ...(await gatherParts(files, folder)), files };
}

/** Of times and memory, which no two runs have alike. */
const withoutTimes = (value: unknown): string =>
  JSON.stringify(value, (key, field: unknown) =>
    ['seconds', 'scoringSeconds', 'peakRssBytes', 'started', 'finished'].includes(key) ? undefined : field,
  );

/**
 * The whole run gives what its parts give: the same record, field by field in the same order, the same result and
 * warnings. Only times and memory differ.
 * @param counts of parts, one after the other
 */
export async function assertSameInParts<K extends CutKind>(
  kind: K,
  given: GivenFor<K>,
  counts: readonly number[],
): Promise<GatheredRun & { readonly result: RunResult<K> }> {
  const folder = temporaryFolder();
  const whole = join(folder, 'whole.json');
  const around = { job: {}, hooks: {}, emit: () => undefined, place: fileFor(whole) };
  const { result, warnings } = await runJob(kind, cutOptions(kind, given), around);
  const expected = withoutTimes(await readRecord(whole));
  let last: GatheredRun | undefined;
  for (const parts of counts) {
    last = await runInParts(kind, given, parts, folder);
    const file = join(folder, `gathered-${parts}.json`);
    await writeGathered(file, last.record);
    assert.equal(withoutTimes(await readRecord(file)), expected, `${kind} in ${parts} parts`);
    assert.equal(withoutTimes(last.result), withoutTimes(result), `result of ${kind} in ${parts} parts`);
    assert.deepEqual(last.warnings, warnings, `warnings of ${kind} in ${parts} parts`);
  }
  return { ...last!, result: last!.result as RunResult<K> };
}
