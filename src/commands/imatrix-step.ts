/** The step of an export that asks by what text a quantized type rounds, so that the columns that matter more are kept better. */
import * as vscode from 'vscode';
import { usesImportance } from '../engine/write/gguf/kinds';
import type { ExportFormat } from '../engine/write/formats';
import { chooseFile, pickOrBrowse } from '../host/ask/choose-file';
import { settingsText } from '../host/ask/settings-text';
import { type Place, type Step, unlessBack, when } from '../host/ask/steps';
import type { Coppice } from '../host/coppice';

/** How an export rounds; neither where all columns count alike. */
export interface ImatrixAnswers {
  readonly format?: ExportFormat;
  readonly type?: readonly string[];
  /** "auto", the path of an importance matrix, or empty. */
  readonly imatrix?: string;
  /** The text of "auto". */
  readonly calibration?: string;
}

/** Answers that are no paths. */
const ALIKE = 'alike';
const FROM_FILE = 'file';

export const imatrixStep = <A extends ImatrixAnswers>(coppice: Coppice): Step<A> =>
  when<A>(
    ({ format, type }) => type && format === 'gguf' && type.some(usesImportance),
    async (_, place) => (await askImatrix(coppice, place)) as Partial<A>,
  );

async function askImatrix(coppice: Coppice, place: Place): Promise<ImatrixAnswers> {
  const { t } = vscode.l10n;
  const settings = settingsText(coppice);
  const fixed = [
    {
      ...settings,
      detail: t('Recommended: the columns that this text uses most are rounded least'),
    },
    { label: t('$(circle-slash) All columns alike'), description: t('nothing is measured'), value: ALIKE },
    {
      label: t('$(file-binary) An importance matrix…'),
      description: t('a file of llama.cpp or of an earlier export'),
      value: FROM_FILE,
    },
  ];
  const placeholder = t('Round by the importance of columns? Best: text like what your app sends');
  for (;;) {
    const chosen = await chooseFile(coppice, place, { placeholder, use: 'calibration', fixed, active: settings.value });
    if (chosen === ALIKE) return { imatrix: '' };
    if (chosen !== FROM_FILE) return { imatrix: 'auto', calibration: chosen };
    const file = await unlessBack(askFile(place));
    if (file !== undefined) return { imatrix: file };
  }
}

function askFile(place: Place): Promise<string> {
  const filters = { [vscode.l10n.t('Importance matrices')]: ['gguf', 'dat', 'imatrix'] };
  const browse = (): Thenable<vscode.Uri[] | undefined> =>
    vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters });
  return pickOrBrowse(place, vscode.l10n.t('Select an importance matrix'), [], browse);
}
