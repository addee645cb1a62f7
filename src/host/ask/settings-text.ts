/** The calibration text of the settings as a choice. */
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import { applicationChoice } from './application-text';
import type { PickChoice } from './steps';

/** The bundled text has a path that means nothing to the user: the choice names it instead. */
type Chosen = PickChoice<string> & { readonly description: string };

export function settingsText({ config }: Pick<Coppice, 'config'>): Chosen {
  const { file } = config.calibration;
  if (config.application !== undefined) return applicationChoice({ config });
  if (config.usesBundledText) {
    return {
      label: vscode.l10n.t('$(book) Bundled sample text'),
      description: vscode.l10n.t('short stories, comes with Coppice'),
      value: file,
    };
  }
  return {
    label: vscode.l10n.t('$(book) Calibration text from the settings'),
    description: vscode.workspace.asRelativePath(file),
    value: file,
  };
}
