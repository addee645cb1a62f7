/** Material of the demo: the sample model or the user's checkpoint, with suitable texts. */
import { join } from 'node:path';
import type { GivenFor } from '../../jobs/kinds';
import type { DemoOptions } from '../commands/demo';
import { writeTextFile } from '../../engine/system-failure';
import { sampleModel } from './sample-model';
import { CALIBRATION_TEXT, EVALUATION_TEXT, PROMPTS, STORY_PROMPTS } from './texts';

export interface Material {
  readonly checkpoint: string;
  /** Whether it is the sample model. */
  readonly sample: boolean;
  /**
   * File to score with, and file to measure on. They must differ, because the scoring text would flatter the choice.
   */
  readonly calibration: string;
  readonly text: string;
  /** Text to heal on; the model writes its own when undefined. */
  readonly healing?: string;
  readonly prompts: readonly string[];
  /** File of questions that suit the model; none when undefined. */
  readonly questions?: string;
  /** Tokens per row. */
  readonly length: number;
  /** Default number of CPU threads; onnxruntime's own choice when undefined. */
  readonly threads?: number;
  /** Undefined if the demo does not retrain. */
  readonly retraining?: Pick<GivenFor<'retrain'>, 'data' | 'heldOut' | 'lr' | 'batch' | 'steps' | 'warmup'>;
}

/** Short runs with a high learning rate: a minute for the sample model, some minutes for a real one. */
const SAMPLE_TRAINING = { heldOut: 8, lr: 2e-3, batch: 8, steps: 80, warmup: 8 };
const TRAINING = { batch: 8, steps: 60, warmup: 6 };

/** @param folder of the demo, for the bundled texts */
export async function provideMaterial(
  path: string | undefined,
  { calibration, text, retrain }: DemoOptions,
  folder: string,
): Promise<Material> {
  if (path === undefined) {
    const sample = sampleModel();
    return {
      checkpoint: sample.checkpoint,
      sample: true,
      calibration: calibration ?? sample.calibration,
      text: text ?? sample.evaluation,
      healing: calibration ?? sample.calibration,
      prompts: STORY_PROMPTS,
      questions: sample.questions,
      length: 128,
      threads: 1, // the model is so narrow that a second thread would mostly wait
      retraining: { data: [retrain ?? sample.retraining], ...SAMPLE_TRAINING },
    };
  }
  return {
    checkpoint: path,
    sample: false,
    calibration: calibration ?? (await provideText(folder, 'calibration.txt', CALIBRATION_TEXT)),
    text: text ?? (await provideText(folder, 'evaluation.txt', EVALUATION_TEXT)),
    healing: calibration,
    prompts: PROMPTS,
    length: 64,
    retraining: retrain === undefined ? undefined : { data: [retrain], ...TRAINING },
  };
}

async function provideText(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeTextFile(file, text);
  return file;
}
