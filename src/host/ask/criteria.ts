/** The criteria as choices: three that most users need, and the others behind “More…”. */
import * as vscode from 'vscode';
import { type Criterion, CRITERION_LIST } from '../../engine/importance/criteria';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { noScoringWords } from './no-healing';
import { pick, type PickChoice, type Place, unlessBack } from './steps';

/** The paper's, a quick one, and the one by gradients. */
const FIRST: readonly Criterion[] = ['ppl', 'block-influence', 'taylor'];

/**
 * @param model what is scored: a criterion that it cannot be scored by has the reason
 * @param estimate how long each takes; undefined where that is not shown
 */
export function criterionChoices(
  model: Pick<Architecture, 'family' | 'style' | 'layers'>,
  estimate: (criterion: Criterion) => string | undefined = () => undefined,
): readonly PickChoice<Criterion>[] {
  // The texts are the list's, so a new criterion needs no line here. A bundle translates them like all others.
  return CRITERION_LIST.map(({ name, title, help, paper }) => {
    const cited = paper ? [paper.name ?? paper.authors] : [];
    const time = estimate(name);
    const label = vscode.l10n.t(title);
    const refused = noScoringWords(model, name);
    return {
      label: name === 'block-influence' ? vscode.l10n.t('{0} (fast)', label) : label,
      ...(time !== undefined && { description: time }),
      detail: [vscode.l10n.t(help), ...cited, name].join(' · '),
      value: name,
      ...(refused !== undefined && { refused }),
    };
  });
}

/**
 * Asks for one of the criteria. The first list has the usual ones and the active one.
 * @param active the choice that Enter takes
 */
export async function pickCriterion(
  place: Place,
  placeholder: string,
  choices: readonly PickChoice<Criterion>[],
  active: Criterion,
): Promise<Criterion> {
  const isFirst = ({ value }: PickChoice<Criterion>): boolean => FIRST.includes(value) || value === active;
  const byRank = FIRST.flatMap((name) => choices.filter(({ value }) => value === name));
  const first = [...byRank, ...choices.filter((choice) => isFirst(choice) && !byRank.includes(choice))];
  const others = choices.filter((choice) => !first.includes(choice));
  if (others.length < 2) return pick(place, placeholder, choices, active);
  const more: PickChoice<Criterion | undefined> = {
    label: vscode.l10n.t('$(ellipsis) More…'),
    detail: others.map(({ label }) => label).join(', '),
    value: undefined,
  };
  for (;;) {
    const chosen = await pick<Criterion | undefined>(place, placeholder, [...first, more], active);
    if (chosen !== undefined) return chosen;
    const other = await unlessBack(pick({ ...place, step: place.step + 1 }, placeholder, others));
    if (other !== undefined) return other;
  }
}
