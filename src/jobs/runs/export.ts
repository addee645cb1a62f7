/** Exports a model: writes it beside its place, compares it, measures it, and only then gives it its name. */
import { stat } from 'node:fs/promises';
import { foldersOf } from '../../engine/checkpoint/folders';
import { checkpointReduction } from '../../engine/checkpoint/reduction';
import { UserError } from '../../engine/errors';
import { isAsWritten } from '../../engine/files/signed';
import { claimStage } from '../../engine/files/target';
import { wholeBlocks } from '../../engine/importance/select';
import { openForComputing } from '../../engine/model/opened';
import type { Rows } from '../../engine/evaluate/rows';
import type { DeviceReport } from '../../engine/onnx/device';
import { inPhases } from '../../engine/progress';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import { OVERFLOW } from '../../engine/verify/verdict';
import { set } from '../../engine/option-token';
import { FORMATS } from '../../engine/write/formats';
import { llamaCppAdvice } from '../../engine/write/gguf/types';
import type { ExportResult, VerifiedResult } from '../results/export';
import { formatOf } from '../definitions/export';
import { checkFileTarget } from '../file-target';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, type RunEnd, secondsSince, watchDevice } from '../run';
import { exportedFiles, writeRecordOf } from './export-files';
import { findingsOf } from './export-findings';
import { checkSaved, type ExportImatrix, imatrixOf, imatrixResult, saveImatrix } from './export-imatrix';
import { measureExported, textOf } from './export-measures';
import { type Exporting, modelfileOf, settingsOf, writeExport, writtenType } from './export-writers';
import { consumersOf, verifyOutput } from './verify-written';

type Options = OptionsFor<'export'>;

export async function runExport(options: Options, context: JobContext): Promise<RunEnd<ExportResult>> {
  const start = performance.now();
  const format = formatOf(options)!;
  for (const name of options.type ?? []) {
    const advice = format === 'gguf' ? llamaCppAdvice(name, options.out) : undefined;
    if (advice) throw advice;
  }
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const removed = wholeBlocks(opened.removed);
  const reduction = checkpointReduction(opened.checkpoint, removed);
  if (reduction.kept.length === 0) throw nothingLeft();
  const text = await textOf(options, opened, context);
  await checkSaved(options);
  if (options.modelfile) {
    await checkFileTarget('the Modelfile', modelfileOf(options.out), options.checkpoint, [], isAsWritten);
  }
  const { hooks, device } = watchDevice(context.hooks);
  const compute = modelOptions(options, { ...context, hooks });
  const [weighing, writing, verifying, measuring] = inPhases(context.job, [
    { share: options.imatrix === 'auto' ? 1 : 0 },
    { share: 1 },
    { share: options.verify ? 1 : 0 },
    { share: text ? 1 : 0 },
  ]);
  const stage = await claimStage(options.out, foldersOf(opened.checkpoint));
  try {
    const imatrix = await imatrixOf(options, opened, reduction.kept, compute, { ...context, job: weighing });
    const exporting: Exporting = { options, format, opened, reduction, imatrix, started: context.started };
    const written = await writeExport(exporting, stage.temporary, writing);
    written.notes.forEach(context.note);
    const place = { path: stage.temporary, format };
    const verification = options.verify ? await verifyOutput(opened, place, compute, verifying) : undefined;
    const verified: VerifiedResult | null = verification?.verified ?? null;
    if (verified && !verified.passed) throw wrong(stage.out, verified);
    const measured = await measureExported(exporting, stage.temporary, { text, compute }, measuring);
    const consumers =
      verification && options.consumers
        ? await consumersOf(place, verification, opened, options.consumersFrom, { signal: context.job.signal })
        : undefined;
    await written.document?.(findingsOf(verified, FORMATS[format].isCheckpoint ? measured : [], consumers), measured);
    const files = await exportedFiles(stage.temporary, verification?.hashes);
    const saved = await saveImatrix(options, opened, imatrix);
    const { parametersBefore, parametersAfter } = reduction;
    const result: ExportResult = {
      format,
      type: writtenType(exporting),
      out: stage.out,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      files,
      ...(written.finer && { finer: written.finer }),
      ...imatrixResult(imatrix, written.weighed, saved),
      removed,
      parametersBefore,
      parametersAfter,
      verified,
      ...(measured.length > 0 && { measured }),
      ...(consumers && { consumers }),
      seconds: secondsSince(start),
    };
    const run = detailsFor(exporting, readBy(imatrix, text), device());
    if ((await stat(stage.temporary)).isDirectory()) await writeRecordOf(exporting, stage.temporary, result, run);
    await stage.commit();
    await written.beside?.(stage.out);
    return { result, run };
  } catch (error) {
    await stage.discard().catch(() => undefined); // it keeps its temporary name; the first error is the one to report
    // The user knows only the name that it would have got.
    throw error instanceof UserError ? error.withTexts((words) => words.replaceAll(stage.temporary, stage.out)) : error;
  }
}

function detailsFor(exporting: Exporting, inputs: RunDetails['inputs'], device: DeviceReport | undefined): RunDetails {
  const { options, opened } = exporting;
  return detailsOf(opened.checkpoint, options, {
    inputs: [...opened.inputs, ...inputs],
    settings: settingsOf(exporting),
    device,
  });
}

/** The files that the run read besides the model. */
const readBy = (imatrix: ExportImatrix | undefined, text: Rows | undefined): RunDetails['inputs'] => [
  ...(imatrix ? [imatrix.input] : []),
  ...(text?.input ? [text.input] : []),
];

const nothingLeft = (): UserError =>
  new UserError('There is nothing to export', 'all blocks are left out', 'Leave out fewer blocks.');

/** It is a bug or a broken disk, or float16 is too small for the model. */
function wrong(out: string, { why = 'it differs', kinds = [] }: Pick<VerifiedResult, 'why' | 'kinds'>): UserError {
  const overflows = kinds.some((kind) => kind.why === OVERFLOW);
  return new UserError(
    `${out} was written and is not the model`,
    overflows ? `fp16: ${OVERFLOW}` : why,
    overflows
      ? `It was removed again; ${set('type', 'q8')}, or fp32 or q4.`
      : 'It was removed again. Check the disk; if it happens again, report it with this message.',
  );
}
