/** The plan of a recipe as Markdown: what runs and why, what is there, how long it is expected to take. No VS Code. */
import { inline, table } from '../../engine/markdown';
import { roughBytes } from '../../estimates/words';
import type { JsonObject } from '../../format/json';
import { doneWords } from '../../host/recipes/recipe-words';
import { l10n } from '../../l10n';
import { expectedSum, expectedWords } from '../../recipes/expected-words';
import { titleOf } from '../../recipes/title';
import type { PlannedStep, RecipePlan } from '../../recipes/types';

/** @param results of the steps that are done, by name */
export function planPage(plan: RecipePlan, results: ReadonlyMap<string, JsonObject>): string {
  const { recipe, steps, model, variables } = plan;
  const rows = steps.map((planned) => [
    planned.step.name,
    planned.step.job,
    stateWords(planned, results.get(planned.step.name)),
    timeWords(planned),
    planned.state === 'run' && planned.expected?.memoryBytes !== undefined
      ? roughBytes(planned.expected.memoryBytes)
      : '',
  ]);
  const head = [l10n.t('Step'), l10n.t('Job'), l10n.t('What happens'), l10n.t('Time'), l10n.t('Memory')];
  return [
    `# ${inline(l10n.t('Plan of {0}', titleOf(recipe, variables)))}`,
    ...(model === undefined ? [] : [inline(l10n.t('Model: {0}', model))]),
    table(head, rows),
    inline(sumWords(plan)),
    '',
  ].join('\n\n');
}

function stateWords({ state, before, why }: PlannedStep, result: JsonObject | undefined): string {
  if (state === 'run') return why === undefined ? l10n.t('runs') : l10n.t('runs: {0}', why);
  if (state === 'waits' || !before) return l10n.t('is not asked for');
  return [l10n.t('done'), ...doneWords(before, result)].join(' · ');
}

function timeWords({ state, expected }: PlannedStep): string {
  if (!expected) return state === 'run' ? l10n.t('not known') : '';
  const words = expectedWords(expected);
  return expected.from === 'before' ? l10n.t('{0}, as before', words) : words;
}

/** "Runs 2 of 3 steps, in about 1:20 and the time of export, which is not known." */
export function sumWords(plan: RecipePlan): string {
  const { steps, unknown } = plan;
  const running = steps.filter(({ state }) => state === 'run').length;
  if (running === 0) return l10n.t('Nothing to do: all steps are done.');
  const time = expectedSum(plan);
  if (time === undefined) {
    return l10n.t('{0} of {1} steps run. How long they take is not known yet.', running, steps.length);
  }
  if (unknown.length === 0) return l10n.t('{0} of {1} steps run, in {2}.', running, steps.length, time);
  return l10n.t(
    '{0} of {1} steps run, in {2} and the time of {3}, which is not known.',
    running,
    steps.length,
    time,
    unknown.join(', '),
  );
}
