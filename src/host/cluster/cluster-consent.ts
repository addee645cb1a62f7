/** Asks before parts of a run are submitted again whose folder, which others may write to, says another command than before. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Consent } from '../../cluster/consent';

/** Opens the scripts, and asks. */
export const askConsent: Consent = async ({ command, asked, scripts }) => {
  const { t } = vscode.l10n;
  for (const { file } of scripts) await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
  const names = scripts.map(({ file }) => basename(file)).join(', ');
  const detail = [
    command,
    ...(asked.length > 0 ? [t('Options of the scheduler: {0}', asked.join(' '))] : []),
    ...(scripts.length > 0 ? [t('It runs as these files say, which are open: {0}.', names)] : []),
    t('The folder of the run says this now, and it is not what was submitted from here.'),
  ];
  const start = t('Submit Again');
  const question = t('Start this on the cluster with your rights?');
  const options = { modal: true, detail: detail.join('\n\n') };
  return (await vscode.window.showWarningMessage(question, options, start)) === start;
};
