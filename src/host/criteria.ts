/** The criteria as choices. */
import * as vscode from 'vscode';
import { type Criterion, CRITERION_LIST } from '../engine/importance/criteria';
import type { Choice } from './steps';

/** @param estimate how long each takes; undefined where that is not shown */
export function criterionChoices(
  estimate: (criterion: Criterion) => string | undefined = () => undefined,
): readonly Choice<Criterion>[] {
  // The texts are the list's, so a new criterion needs no line here. A bundle translates them like all others.
  return CRITERION_LIST.map(({ name, title, help, paper }) => {
    const cited = paper ? ` (${paper.name ?? paper.authors})` : '';
    const time = estimate(name);
    return {
      label: vscode.l10n.t(title),
      description: time === undefined ? name : `${name} · ${time}`,
      detail: vscode.l10n.t(help) + cited,
      value: name,
    };
  });
}
