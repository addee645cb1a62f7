/** The importance criterion and its options. */
import {
  CRITERIA,
  type Criterion,
  criterionInfo,
  CRITERION_LIST,
  citedHelp,
  needsCalibration,
} from '../../engine/importance/criteria';
import { OBJECTIVES, type Objective } from '../../engine/importance/objective';
import { option, set } from '../../engine/option-token';
import type { Fault } from '../define';
import { DEFAULT_BUDGET } from '../../engine/importance/drawing';
import { l10n } from '../../l10n';
import { choice, positive, whole } from '../option';

const NAME_WIDTH = 17;

export const criterion = choice(CRITERIA, 'how to score', {
  placeholder: 'name',
  setting: 'coppice.criterion',
  recorded: true,
});

/** The same with perplexity as the default. */
export const criterionOrPpl = choice(CRITERIA, criterion.help, {
  placeholder: 'name',
  default: 'ppl',
  setting: 'coppice.criterion',
  recorded: true,
});

/** What a criterion keeps low, where there is a choice. */
export const objective = choice(OBJECTIVES, 'greedy: what to keep low, perplexity or KL divergence (default: ppl)', {
  placeholder: 'what',
  setting: 'coppice.objective',
});

export const magnitude = {
  norm: choice(['l1', 'l2'], 'magnitude: |w| or w²', { placeholder: 'p', default: 'l1' }),
  reduction: choice(['sum', 'mean', 'max', 'product'], 'magnitude: over the neurons of a matrix', {
    placeholder: 'how',
    default: 'sum',
  }),
};

export const searching = {
  budget: positive(
    `search: seconds after the greedy start (default: ${DEFAULT_BUDGET}; with ${option('generations')}, no limit)`,
    {
      noun: () => l10n.t('the time of the search'),
      placeholder: 'seconds',
    },
  ),
  generations: whole('search: stop after this many generations', {
    noun: () => l10n.t('the number of generations'),
  }),
};

/** Whether a text begins with a name, such as KL, whose capitals stay. */
const startsName = (text: string): boolean => /^.[A-Z]/.test(text);

/** Help text of the criteria, one per line. */
export const CRITERIA_HELP = [
  'Criteria:',
  ...CRITERION_LIST.map((criterion) => {
    const help = citedHelp(criterion);
    return `  ${criterion.name.padEnd(NAME_WIDTH)}${startsName(help) ? help : `${help.charAt(0).toLowerCase()}${help.slice(1)}`}`;
  }),
].join('\n');

/** The error if a criterion cannot keep that low. */
export function objectiveFault(
  criterion: Criterion,
  { objective: wanted }: { readonly objective?: Objective },
): Fault | undefined {
  if (wanted === undefined || criterionInfo(criterion).objectives?.includes(wanted)) return undefined;
  return {
    what: `${criterion} cannot choose by ${option('objective', wanted)}`,
    why: `${option('objective')} belongs to the criterion greedy`,
    action: `${set('criterion', 'greedy')}, or leave ${option('objective')} out.`,
  };
}

/** The error if a criterion needs a text and none is given. */
export function calibrationFault(
  criterion: Criterion,
  { calibration }: { readonly calibration?: string },
): Fault | undefined {
  if (!needsCalibration(criterion) || calibration !== undefined) return undefined;
  return {
    what: `the criterion ${criterion} needs a calibration text`,
    why: `${option('calibration')} is not given`,
    action: `Add ${option('calibration', 'FILE')}: a text like those that your app sends.`,
  };
}
