/**
 * Trim Vocabulary…: first a report on what the texts of an application need, which the results panel shows; from there the model
 * that keeps only that is written.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import type { VocabularyDigest } from '../engine/records/digest-types';
import { formatBytes, formatCount, formatPercent } from '../format/numbers';
import { numeric } from '../format/json';
import { bytesWith } from '../format/vocabularies';
import { asApplication } from '../jobs/application';
import type { GivenFor } from '../jobs/kinds';
import { checkpointName } from '../jobs/titles';
import type { VocabularyResult } from '../jobs/results/vocabulary';
import type { SpecOf } from '../protocol/jobs';
import { vocabulary as definition } from '../jobs/definitions/vocabulary';
import { subjectOf } from '../state/subject';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { requireSpace } from '../host/ask/disk-space';
import { askOutputFile, askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { askAll, type Step } from '../host/ask/steps';
import { moreStep, type VocabularyMore } from '../host/ask/vocabulary-more';
import { textSteps, type VocabularyTexts } from '../host/ask/vocabulary-texts';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { hintAtGit } from '../host/git-hint';
import { inform, nextCommand } from '../host/inform';
import { runJob } from '../host/jobs/run-job';
import { type VocabularyReport, vocabularyReport } from '../host/jobs/vocabulary-report';

type Options = Partial<Omit<GivenFor<'vocabulary'>, 'checkpoint' | 'device'>>;

/** Without `out` and `run` it only reports. */
export interface TrimArguments extends CommonArguments, VocabularyTexts, VocabularyMore, Options {
  /** Id of a recorded report, whose texts are counted again: asks where to write, and writes. */
  readonly run?: string;
}

export const trimVocabularyCommand: Command<TrimArguments> = {
  id: 'coppice.trimVocabulary',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Trim Vocabulary');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const report = args.run === undefined ? undefined : await vocabularyReport(coppice, args.run);
    const known: TrimArguments = { ...report?.counted, ...args };
    const writes = report !== undefined && args.out === undefined;
    const complete = await askAll(title, known, [
      ...textSteps<TrimArguments>(coppice),
      ...(report || args.texts || args.application ? [] : [moreStep<TrimArguments>()]),
      ...(writes ? [outStep(coppice, chosen, report)] : []),
    ]);
    settle({ ...complete, checkpoint: chosen.path });
    const spec = specOf(chosen, complete);
    const bytes = report && bytesWith(rowAt(report.digest, spec.min ?? 1).parameters, report.digest);
    if (spec.out !== undefined) requireSpace(spec.out, bytes);
    const { result, record } = await runJob(coppice, spec, { device: args.device });
    const run = record === null ? undefined : basename(record);
    if (result.written !== null) {
      await takePlanAlong(coppice, chosen, result.written);
      void hintAtGit(coppice, args, result.written);
      tellTrimmed(args, chosen, { ...result, written: result.written }, run);
    } else if (!args.throws) {
      await openResults(coppice, chosen.path, chosen.checkpoint, run);
    }
    return result;
  },
};

/** The trimmed model has the same blocks, so that the plan for them goes on with it. */
async function takePlanAlong({ library, plans }: Coppice, { subject }: Chosen, written: string): Promise<void> {
  const plan = plans.state(subject);
  if (plan.removed.length === 0) return;
  const trimmed = subjectOf(written, await library.load(written));
  if (trimmed) plans.restore(trimmed, plan);
}

function specOf({ path }: Chosen, complete: TrimArguments): SpecOf<typeof definition> {
  const { texts = [], application, heldOut, min, keep, keepLanguages, multiple, bits, limit, out, ...more } = complete;
  const spec: SpecOf<typeof definition> = {
    kind: 'vocabulary',
    checkpoint: path,
    texts: application === undefined ? texts : [application],
    ...{ heldOut, min, keep, keepLanguages, multiple, bits, limit, out },
    ...{ maxBitsGrowth: more.maxBitsGrowth, maxGrowth: more.maxGrowth },
  };
  return asApplication(spec, definition, application);
}

/** A GGUF file gives a GGUF file, a folder gives a folder. */
function outStep(coppice: Coppice, { checkpoint }: Chosen, { digest }: VocabularyReport): Step<TrimArguments> {
  return async ({ min = digest.min }, place) => {
    const row = rowAt(digest, min);
    const bytes = bytesWith(row.parameters, digest);
    const suffix = vscode.l10n.t('{0}-tokens', row.kept);
    const isFile = isGgufCheckpoint(checkpoint);
    const extension = isFile ? '.gguf' : undefined;
    const value = outputFolder(coppice.config.outputFolder, checkpoint, suffix, extension);
    const what = vscode.l10n.t('{0} of {1} tokens stay', formatCount(row.kept), formatCount(digest.size));
    const prompt = [
      what,
      ...costWords(digest, min),
      isFile ? vscode.l10n.t('The new file') : vscode.l10n.t('The new folder'),
    ];
    const question = { prompt: prompt.join('. '), value, bytes };
    const out = isFile
      ? await askOutputFile(place, { ...question, extension: '.gguf' })
      : await askOutputFolder(place, question);
    return { out };
  };
}

const rowAt = ({ rows, kept, parameters }: VocabularyDigest, min: number) =>
  rows.find((row) => row.min === min) ?? { kept, parameters: parameters.after };

/** What is known of the cost: bits per byte are measured for the report's own least count. */
function costWords({ min: own, heldOut: { bits } }: VocabularyDigest, min: number): string[] {
  const growth = numeric(bits?.growth ?? 'NaN');
  if (min !== own || !(growth > 0)) return [];
  return [vscode.l10n.t('Other texts take {0} more bits per byte', formatPercent(growth))];
}

function tellTrimmed(
  args: CommonArguments,
  { path }: Chosen,
  { written, kept, size, bytes }: VocabularyResult & { readonly written: string },
  run: string | undefined,
): void {
  const { t } = vscode.l10n;
  const numbers = [formatCount(kept), formatCount(size)] as const;
  const text = t('Kept {0} of {1} tokens: {2}, {3}.', ...numbers, checkpointName(written), formatBytes(bytes.after));
  inform(
    args,
    text,
    nextCommand(t('Show Card'), 'coppice.openResults', { checkpoint: path, run }),
    nextCommand(t('Open'), 'coppice.openResults', { checkpoint: written }),
  );
}
