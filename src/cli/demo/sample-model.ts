/** The sample model of Coppice (media/sample) and its texts. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../engine/errors';

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

/** The program is one bundled file or many source files, at different depths below the installation's root. */
function sampleFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const found = join(folder, 'media', 'sample');
    if (existsSync(join(found, 'config.json'))) return found;
    if (folder !== dirname(folder)) continue;
    throw new UserError(
      'the sample model is missing',
      `there is no media/sample above ${start}`,
      'Install Coppice again, or name a checkpoint: coppice demo FOLDER.',
    );
  }
}
