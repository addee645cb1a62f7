/** The end of the demo: the curve behind the choice, and all of its runs as one page that a browser opens. */
import { openForComputing } from '../../engine/model/opened';
import { join } from 'node:path';
import { runCurve } from '../../engine/evaluate/run-curve';
import { digestRecord } from '../../engine/records/digest';
import { detailsOf } from '../../engine/records/details';
import { modelName, newRecord, readRecord, writeRecord } from '../../engine/records/record';
import { type ReportAssets, reportHtml } from '../../engine/records/report';
import { writeTextFile } from '../../engine/system-failure';
import { MAX_WINDOWS } from './examine';
import { scoringOf, type Verdict } from './score-chapter';
import type { Story } from './story';

/** Removals beyond those of the demo, to show where the model breaks. */
const FURTHER = 3;

/**
 * Perplexity against the number of removed blocks, on the text of the comparison.
 * @returns the curve's record
 */
export async function drawCurve(story: Story, { removed, keepEnds, records }: Verdict): Promise<string> {
  const { checkpoint, material, length, folder, options, shell } = story;
  const started = new Date();
  const opened = await openForComputing(checkpoint.path, {});
  const curve = await runCurve(
    opened,
    {
      criterion: 'ppl',
      scores: records.ppl,
      most: removed.length + FURTHER,
      keepEnds,
      scoring: scoringOf(story),
      rows: { from: 'text', file: material.text, window: length, limit: MAX_WINDOWS },
    },
    options,
    shell.job,
  );
  const { points, text, parametersRead, inputs, settings, device } = curve;
  const model = { name: modelName(checkpoint), identity: checkpoint.identity };
  const run = detailsOf(checkpoint, options, { inputs, settings, device });
  const record = join(folder, 'curve-ppl.json');
  await writeRecord(
    record,
    newRecord({ kind: 'curve', ...run, results: { criterion: 'ppl', model, points, text, parametersRead }, started }),
  );
  return record;
}

/** @param records in the order of the report */
export async function writeReport(page: string, records: readonly string[], assets: ReportAssets): Promise<void> {
  const digests = (await Promise.all(records.map(readRecord))).map(digestRecord);
  // What is written in a demo is the same model at other times of its life: one chapter of the page.
  const { model } = digests[0];
  await writeTextFile(
    page,
    reportHtml(
      digests.map((digest) => ({ ...digest, model })),
      assets,
    ),
  );
}
