/** Asks whether tokens stay that no text of the application has: those of a list of words, or of whole languages. */
import * as vscode from 'vscode';
import { type Language, LANGUAGES } from '../../format/languages';
import type { GivenFor } from '../../jobs/kinds';
import { pick, pickMany, type Step, unlessBack, when } from './steps';

export interface VocabularyMore extends Partial<Pick<GivenFor<'vocabulary'>, 'keep' | 'keepLanguages'>> {
  /** Nothing more stays. */
  readonly alone?: boolean;
}

type Choice = 'alone' | 'words' | 'languages';
type Place = Parameters<Step<unknown>>[1];

/** Nothing is asked where one of them is given. */
export function moreStep<S extends VocabularyMore>(): Step<S> {
  const isOpen = ({ keep, keepLanguages, alone }: S): boolean =>
    keep === undefined && keepLanguages === undefined && alone === undefined;
  return when<S>(isOpen, (_, place) => askMore(place) as Promise<Partial<S>>);
}

async function askMore(place: Place): Promise<VocabularyMore> {
  const { t } = vscode.l10n;
  const choices = [
    { label: t('Only what the texts use'), value: 'alone' as const },
    { label: t('A list of words too…'), description: t('a text file, one word a line'), value: 'words' as const },
    {
      label: t('All tokens of some languages too…'),
      description: t('where what users write is not known'),
      value: 'languages' as const,
    },
  ];
  for (;;) {
    const chosen: Choice = await pick<Choice>(place, t('Which tokens stay besides?'), choices, 'alone');
    if (chosen === 'alone') return { alone: true };
    if (chosen === 'words') {
      const filters = { [t('Texts')]: ['txt', 'md'] };
      const picked = await vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters });
      if (picked?.[0]) return { keep: picked[0].fsPath };
      continue;
    }
    const keepLanguages = await unlessBack(askLanguages(place));
    if (keepLanguages) return { keepLanguages };
  }
}

/** Its first choice is the language of the editor. */
function askLanguages(place: Place): Promise<readonly Language[]> {
  const names = new Intl.DisplayNames([vscode.env.language, 'en'], { type: 'language' });
  const choices = LANGUAGES.map((value) => ({ label: names.of(value) ?? value, description: value, value }));
  const own = LANGUAGES.filter((each) => vscode.env.language.split('-')[0] === each);
  const later = { ...place, step: place.step + 1, totalSteps: undefined };
  return pickMany(later, vscode.l10n.t('Select the languages'), choices, own);
}
