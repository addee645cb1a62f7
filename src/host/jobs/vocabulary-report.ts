/** A report on a vocabulary, to act on: what was counted, and what the least counts come to. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../engine/errors';
import { followPlace } from '../../engine/records/places';
import { readRecord } from '../../engine/records/record';
import type { VocabularyDigest } from '../../engine/records/digest-types';
import { vocabulary } from '../../jobs/definitions/vocabulary';
import { digestRecord } from '../../jobs/digest/digest';
import type { GivenFor } from '../../jobs/kinds';
import { changePaths } from '../../jobs/option-paths';
import type { Coppice } from '../coppice';
import { inputFolders } from '../input-folders';
import { recordFolders } from './run-job';

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
  const file = fileOf(coppice, run);
  const record = file === undefined ? undefined : await readRecord(file);
  const digest = record && digestRecord(record).vocabulary;
  if (file === undefined || !record?.options || !digest) throw noReport(run);
  const folder = dirname(file);
  const { options } = record;
  const paths: string[] = [];
  const counted = COUNTED.filter((name) => options[name] !== undefined).map((name) => {
    const value = changePaths(vocabulary.options[name].kind, options[name], (path) => {
      paths.push(path);
      return resolve(folder, path);
    });
    return [name, value] as const;
  });
  const given = inputFolders(coppice);
  const followed = await Promise.all(paths.map((path) => followPlace(path, folder, given)));
  const gone = paths.filter((_, i) => typeof followed[i] === 'string').map((path) => basename(path));
  if (gone.length > 0) throw textsGone(gone);
  return { counted: Object.fromEntries(counted), digest };
}

function fileOf(coppice: Coppice, run: string): string | undefined {
  if (run !== basename(run)) return undefined;
  return recordFolders(coppice)
    .map((folder) => join(folder, run))
    .find((file) => existsSync(file));
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
