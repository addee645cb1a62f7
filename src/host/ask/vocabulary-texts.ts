/** Asks for the texts of an application, whose tokens stay: what the workspace is known for, files in it, or any others. */
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import type { GivenFor } from '../../jobs/kinds';
import type { Coppice } from '../coppice';
import { applicationChoice, askApplication, NAME_APPLICATION } from './application-text';
import { listedTexts } from './choose-file';
import { recall, remember } from './remembered';
import { pick, type PickChoice, pickMany, type Step, when } from './steps';
import { TEXT_EXTENSIONS } from './text-files';

/** What is counted. */
export interface VocabularyTexts extends Partial<Pick<GivenFor<'vocabulary'>, 'texts' | 'application'>> {
  /** The texts are files of the workspace, which the next step lists. */
  readonly listed?: boolean;
}

/** Values of choices that are no paths. */
const LISTED = 'listed:';
const BROWSE = 'browse:';

/** Two steps: where the texts are, and which files of the workspace. Nothing is asked where they are given. */
export function textSteps<S extends VocabularyTexts>(coppice: Coppice): readonly Step<S>[] {
  const isOpen = ({ texts, application, listed }: S): boolean =>
    texts === undefined && application === undefined && listed === undefined;
  return [
    when<S>(isOpen, (_, place) => askPlace(coppice, place) as Promise<Partial<S>>),
    when<S>(
      ({ texts, listed }) => (texts === undefined ? listed : false),
      (_, place) => askListed(coppice, place) as Promise<Partial<S>>,
    ),
  ];
}

type Place = Parameters<Step<unknown>>[1];

async function askPlace(coppice: Coppice, place: Place): Promise<VocabularyTexts> {
  const { t } = vscode.l10n;
  const own = applicationChoice(coppice);
  const files = await listedTexts(coppice, 'training');
  const listed: PickChoice<string> = {
    label: t('$(files) Texts of this workspace…'),
    description: files.length === 1 ? t('1 file') : t('{0} files', files.length),
    value: LISTED,
  };
  const other = { label: t('$(folder-opened) Other files…'), value: BROWSE };
  const choices = [own, ...(files.length > 0 ? [listed] : []), other];
  const usual = coppice.config.application ?? (files.length > 0 ? LISTED : BROWSE);
  for (;;) {
    const placeholder = t('Which texts does your application read and write? Tokens that they use stay.');
    const chosen = await pick(place, placeholder, choices, usual);
    if (chosen === LISTED) return { listed: true };
    if (chosen === BROWSE) {
      const texts = await browse(place.title);
      if (texts) return { texts };
      continue;
    }
    const application = chosen === NAME_APPLICATION ? await askApplication(place) : chosen;
    if (application !== undefined) return { application };
  }
}

async function browse(title: string): Promise<string[] | undefined> {
  const filters = { [vscode.l10n.t('Texts')]: [...TEXT_EXTENSIONS.training, 'ndjson'] };
  const picked = await vscode.window.showOpenDialog({ title, canSelectMany: true, filters });
  return picked && picked.length > 0 ? picked.map(({ fsPath }) => fsPath) : undefined;
}

async function askListed(coppice: Coppice, place: Place): Promise<VocabularyTexts> {
  const files = await listedTexts(coppice, 'training');
  if (files.length === 0) throw new CancelledError(); // they have gone since
  const choices = files.map((value) => ({ label: vscode.workspace.asRelativePath(value), value }));
  // The more texts, the fewer words are lost.
  const before = recall(coppice, 'vocabulary', 'texts', '').split('\n');
  const active = files.some((file) => before.includes(file)) ? before : files;
  const placeholder = vscode.l10n.t('Select all texts of the application: words that none of them has are lost');
  const texts = await pickMany(place, placeholder, choices, active);
  await remember(coppice, 'vocabulary', { texts: texts.join('\n') });
  return { texts };
}
