/** The sample model of Coppice (media/sample) and its texts. */
import { dirname, join } from 'node:path';
import { UserError } from '../../engine/errors';
import { installed } from '../../engine/files/installed';

export interface SampleModel {
  /** Folder of the checkpoint. */
  readonly checkpoint: string;
  /** Stories to score with, to measure on, and to retrain with: three files without common stories. */
  readonly calibration: string;
  readonly evaluation: string;
  readonly retraining: string;
  /** Questions about stories. */
  readonly questions: string;
}

/** @throws UserError when the installation does not have it */
export function sampleModel(): SampleModel {
  const checkpoint = sampleFolder();
  const file = (name: string): string => join(checkpoint, name);
  return {
    checkpoint,
    calibration: file('calibration.txt'),
    evaluation: file('evaluation.txt'),
    retraining: file('retrain.jsonl'),
    questions: file('stories.coppice-tasks.json'),
  };
}

function sampleFolder(): string {
  const config = installed('media', 'sample', 'config.json');
  if (config !== undefined) return dirname(config);
  throw new UserError(
    'the sample model is missing',
    'the folder media/sample is not where Coppice is installed',
    'Install Coppice again, or name a checkpoint: coppice demo FOLDER.',
  );
}
