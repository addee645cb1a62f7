/** The data of a retraining, as arguments name them. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { SELF } from '../../jobs/healing-amounts';
import type { Coppice } from '../coppice';

/** Instructions that come with Coppice. */
export const BUNDLED = 'bundled';

const bundledData = ({ context }: Pick<Coppice, 'context'>): string =>
  vscode.Uri.joinPath(context.extensionUri, 'media/sample/retrain.jsonl').fsPath;

/** The data as the job takes them: absolute paths, or "self". */
export const trainingFiles = (
  coppice: Pick<Coppice, 'context'>,
  data: string | readonly string[] = BUNDLED,
): string[] =>
  (typeof data === 'string' ? [data] : data).map((file) => (file === BUNDLED ? bundledData(coppice) : file));

/** The data for people. */
export function dataWords(data: string | readonly string[] = BUNDLED): string {
  const names = (typeof data === 'string' ? [data] : data).map((file) => {
    if (file === SELF) return vscode.l10n.t('text that the original writes');
    return file === BUNDLED ? vscode.l10n.t('the bundled examples') : basename(file);
  });
  return names.length <= 3 ? names.join(', ') : vscode.l10n.t('{0} and {1} more files', names[0], names.length - 1);
}
