/** Names of the criteria and their options, as `score`, `prune` and `demo` offer them. */
import { type Command, Option } from 'commander';
import { UsageError } from './failure';
import type { CalibrationOptions } from './options';

export const CRITERIA = ['ppl', 'magnitude', 'block-influence', 'angular', 'greedy', 'deepest'] as const;
export type Criterion = (typeof CRITERIA)[number];

export const CRITERIA_HELP = `
Criteria:
  ppl              perplexity without the block; the paper's choice (Kim et al. 2024, Shortened LLaMA)
  magnitude        sum of the absolute or squared weights; needs no text (the same paper)
  block-influence  how much the block turns the hidden states (Men et al. 2024, ShortGPT)
  angular          angle across runs of blocks, which go together (Gromov et al. 2024)
  greedy           ppl measured again after every removal (Song et al. 2024, SLEB)
  deepest          the last blocks first, but the very last; needs no text`;

export interface CriterionOptions extends CalibrationOptions {
  readonly norm: 'l1' | 'l2';
  readonly reduction: 'sum' | 'mean' | 'max' | 'product';
}

export const criterionOption = (): Option => new Option('--criterion <name>', 'how to score').choices(CRITERIA);

export function addMagnitudeOptions(command: Command): Command {
  return command
    .addOption(new Option('--norm <p>', 'magnitude: |w| or w²').choices(['l1', 'l2']).default('l1'))
    .addOption(
      new Option('--reduction <how>', 'magnitude: over the neurons of a matrix')
        .choices(['sum', 'mean', 'max', 'product'])
        .default('sum'),
    );
}

export const needsCalibration = (criterion: Criterion): boolean => criterion !== 'magnitude' && criterion !== 'deepest';

/** Whether the criterion looks at the stored weights, which an adapter on top leaves as they are. */
export const readsWeights = (criterion: Criterion): boolean => ['magnitude', 'taylor'].includes(criterion);

/** @throws UsageError when the criterion needs a text and none is named */
export function requireCalibration(criterion: Criterion, options: CalibrationOptions): void {
  if (needsCalibration(criterion) && options.calibration === undefined) {
    throw new UsageError(
      `the criterion ${criterion} needs a calibration text`,
      '--calibration is not given',
      'Add --calibration FILE: a text like those that the model is for.',
    );
  }
}
