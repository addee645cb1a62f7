/** Describes how the blocks of a plan were chosen: "suggested by ppl, edited by hand: +2 −1". */
import { type Choice, editsOf } from '../../engine/importance/choice';
import { l10n } from '../../l10n';

/** @param removed the blocks of the plan */
export function choiceWords(choice: Choice, removed: readonly number[]): string {
  if (choice === 'hand') return l10n.t('chosen by hand');
  const { criterion, calibration } = choice;
  const suggested =
    calibration === undefined
      ? l10n.t('suggested by {0}', criterion)
      : l10n.t('suggested by {0} on {1}', criterion, calibration.name);
  const edits = editsOf(choice, removed);
  const counts = [
    ...(edits.removed.length > 0 ? [`+${edits.removed.length}`] : []),
    ...(edits.kept.length > 0 ? [`−${edits.kept.length}`] : []),
  ];
  return counts.length === 0 ? suggested : l10n.t('{0}, edited by hand: {1}', suggested, counts.join(' '));
}
