/** `coppice report`: records of runs as one self-contained HTML page with charts. */
import { dirname } from 'node:path';
import { UserError } from '../../engine/errors';
import { isAsWritten, signed } from '../../engine/files/signed';
import { writeWhole } from '../../engine/files/whole-file';
import { beforeAfter } from '../../engine/records/before-after/before-after';
import { beforeAfterHtml } from '../../engine/records/before-after/html';
import { beforeAfterMarkdown } from '../../engine/records/before-after/markdown';
import { InputWatch } from '../../engine/records/changes';
import { digestRecord } from '../../jobs/digest/digest';
import type { RunDigest } from '../../engine/records/digest-types';
import { modelCard } from '../../engine/records/model-card';
import { refusePart } from '../../engine/records/part';
import { readRecord, type RunRecord } from '../../engine/records/record';
import { reportHtml } from '../../engine/records/report';
import type { Outcome, Shell } from '../execute';
import type { CommonOptions } from '../options';
import { reportAssets } from '../report-assets';
import { checkFileTarget } from '../../jobs/file-target';
import { formatBytes } from '../../format/numbers';
import { facts } from '../terminal/text';

export interface ReportOptions extends CommonOptions {
  readonly out: string;
  readonly beforeAfter?: boolean;
  /** Folders. */
  readonly inputs?: readonly string[];
}

export async function report(
  files: readonly string[],
  { out, inputs = [], beforeAfter: decides }: ReportOptions,
  shell: Shell,
): Promise<Outcome> {
  await checkFileTarget('the report', out, undefined, files, isAsWritten);
  const records = await Promise.all(files.map((file) => readRecord(file)));
  records.forEach((record, i) => refusePart(record, `${files[i]} cannot be shown in a report`));
  const runs = records.map(digestRecord);
  const changed = await changesOf(records, files, [...workingFolder(), ...inputs], shell);
  const page = signed(decides ? await decisionPage(runs, out) : await fullPage(runs, changed, out), 'html');
  await writeWhole(out, page);
  const bytes = Buffer.byteLength(page);
  return {
    json: { out, runs: files.length, bytes },
    page: facts([
      ['report', shell.shown(out)],
      ['runs', String(files.length)],
      ['size', formatBytes(bytes)],
    ]),
    run: { inputs: [], settings: { out } },
  };
}

const isMarkdown = (out: string): boolean => out.endsWith('.md');

async function fullPage(
  runs: readonly RunDigest[],
  changed: readonly (readonly string[])[],
  out: string,
): Promise<string> {
  return isMarkdown(out) ? modelCard(runs) : reportHtml(runs, await reportAssets(), changed);
}

/** @throws UserError when the runs are about one model only */
async function decisionPage(runs: readonly RunDigest[], out: string): Promise<string> {
  const found = beforeAfter(runs);
  if (!found) {
    throw new UserError(
      'There is no before and after to show',
      'the records are about one model only',
      'Add records of the original and of a model made from it: those of eval, tasks, bench and generate.',
    );
  }
  return isMarkdown(out) ? `${beforeAfterMarkdown(found)}\n` : beforeAfterHtml(found, (await reportAssets()).style);
}

/** Changed inputs of every record. */
async function changesOf(
  records: readonly RunRecord[],
  files: readonly string[],
  given: readonly string[],
  { job, warn, note }: Shell,
): Promise<(readonly string[])[]> {
  const watch = new InputWatch();
  const changes: (readonly string[])[] = [];
  for (const [i, { inputs }] of records.entries()) {
    const { changed, unchecked } = await watch.check(inputs, dirname(files[i]), { given, job });
    for (const words of changed) warn(`${files[i]}: ${words}`);
    for (const words of unchecked) note(`${files[i]}: ${words}`);
    if (unchecked.length > 0) note('Name more folders with --inputs.');
    changes.push(changed);
  }
  return changes;
}

/** The current folder, unless it is the root of the disk. */
function workingFolder(): string[] {
  const folder = process.cwd();
  return dirname(folder) === folder ? [] : [folder];
}
