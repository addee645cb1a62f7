/** The end of the demo: draws the curve, and writes all runs as one HTML page. */
import { join } from 'node:path';
import { digestRecord } from '../../jobs/digest/digest';
import { readRecord } from '../../engine/records/record';
import { type ReportAssets, reportHtml } from '../../engine/records/report';
import { writeTextFile } from '../../engine/system-failure';
import type { RunResult } from '../../jobs/runs';
import { MAX_WINDOWS } from './examine';
import type { ScoreVerdict } from './score-chapter';
import type { Story } from './story';

/** Additional removals, to show where the model breaks. */
const FURTHER = 3;

/** Perplexity against the number of removed blocks, on the text of the comparison. */
export async function drawCurve(
  { checkpoint, material, length, folder, compute, progress, run }: Story,
  { removed, keepEnds, records }: ScoreVerdict,
): Promise<{ readonly record: string; readonly text: RunResult<'curve'>['text'] }> {
  const record = join(folder, 'curve-ppl.json');
  const given = {
    checkpoint: checkpoint.path,
    scores: records.ppl,
    most: removed.length + FURTHER,
    keepEnds,
    text: material.text,
    window: length,
    limit: MAX_WINDOWS,
    ...compute,
  };
  const { result } = await run('curve', given, { job: progress.curve, record });
  return { record, text: result.text };
}

/** @param records in the order of the report */
export async function writeReport(page: string, records: readonly string[], assets: ReportAssets): Promise<void> {
  const digests = (await Promise.all(records.map(readRecord))).map(digestRecord);
  // All checkpoints of a demo are stages of the same model, so they form one chapter of the page.
  const { model } = digests[0];
  await writeTextFile(
    page,
    reportHtml(
      digests.map((digest) => ({ ...digest, model })),
      assets,
    ),
  );
}
