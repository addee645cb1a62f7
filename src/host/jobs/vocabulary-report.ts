/** A report on a vocabulary, to act on: what was counted, and what the least counts come to. */
import * as vscode from 'vscode';
import { UserError } from '../../engine/errors';
import type { VocabularyDigest } from '../../engine/records/digest-types';
import { vocabulary } from '../../jobs/definitions/vocabulary';
import { digestRecord } from '../../jobs/digest/digest';
import type { GivenFor } from '../../jobs/kinds';
import type { Coppice } from '../coppice';
import { optionsOf, recordedRun } from './recorded-run';

/** Options of the report that decide what is kept; the model, the least count and the output are the caller's. */
const COUNTED = ['texts', 'application', 'heldOut', 'keep', 'keepLanguages', 'multiple', 'bits', 'limit'] as const;

export type Counted = Partial<Pick<GivenFor<'vocabulary'>, (typeof COUNTED)[number]>>;

export interface VocabularyReport {
  readonly counted: Counted;
  readonly digest: VocabularyDigest;
}

/**
 * Reads the record of a report.
 * @param run id of the record
 * @throws UserError where it has gone, is none, or its texts may not be read or have gone
 */
export async function vocabularyReport(coppice: Coppice, run: string): Promise<VocabularyReport> {
  const found = await recordedRun(coppice, run);
  const digest = found && digestRecord(found.record).vocabulary;
  if (!found?.record.options || !digest) throw noReport(run);
  const { options, gone } = await optionsOf(coppice, found, vocabulary, COUNTED);
  if (gone.length > 0) throw textsGone(gone);
  return { counted: options, digest };
}

const noReport = (run: string): UserError =>
  new UserError(
    vscode.l10n.t('{0} cannot be acted on', run),
    vscode.l10n.t('it is no report on a vocabulary, or it has gone'),
    vscode.l10n.t('Run “Coppice: {0}”.', vscode.l10n.t('Trim Vocabulary…')),
  );

const textsGone = (names: readonly string[]): UserError =>
  new UserError(
    vscode.l10n.t('The texts of the report cannot be read'),
    vscode.l10n.t('{0} has gone, or lies outside the workspace and was not chosen in it', names.join(', ')),
    vscode.l10n.t('Run “Coppice: {0}”, and choose the texts.', vscode.l10n.t('Trim Vocabulary…')),
  );
