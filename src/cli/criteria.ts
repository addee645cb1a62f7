/** The options of the criteria, as `score`, `prune` and `demo` offer them. */
import { type Command, Option } from 'commander';
import { CRITERIA, type Criterion, needsCalibration } from '../engine/importance/criteria';
import { CRITERIA_HELP as LIST } from '../jobs/options/criterion';
import { UsageError } from './failure';
import type { CalibrationOptions } from './options';

export const CRITERIA_HELP = `\n${LIST}`;

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
