/** Short runs of retraining on toy checkpoints. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/engine/errors';
import type { JobOptions } from '../../src/engine/progress';
import type { RetrainResult } from '../../src/engine/retrain/report';
import { retrain, type RetrainContext } from '../../src/engine/retrain/retrain';
import type { RetrainSettings } from '../../src/engine/retrain/settings';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer';
import { withModel } from './model';
import { temporaryFolder } from './temporary';
import { type TinyName, tinyCheckpoint } from './tiny-models';

export const TEXT =
  'The river bends, and the mill stands where it always stood. In the evening she sings to the miller. ';

export const textFile = (): string => {
  const file = join(temporaryFolder(), 'text.txt');
  writeFileSync(file, TEXT.repeat(20));
  return file;
};

export const newPlace = (): string => join(temporaryFolder(), 'out');

/** A run of a few steps. */
export async function run(
  source: string,
  settings: Partial<RetrainSettings>,
  context: Partial<RetrainContext> & { teacherPath?: string; weight?: number; hiddenWeight?: number } = {},
  job: JobOptions = {},
): Promise<RetrainResult> {
  const { teacherPath, weight = 0.5, hiddenWeight, ...rest } = context;
  const tokenizer = await loadTokenizer(source);
  const all: RetrainSettings = {
    method: { kind: 'lora' },
    data: [textFile()],
    out: newPlace(),
    length: 32,
    batch: 4,
    steps: 12,
    learningRate: 0.01,
    evalEvery: 4,
    ...settings,
  };
  return withModel(source, (model) => {
    const context = { removed: [], tokenizer, ...rest };
    if (teacherPath === undefined) return retrain(model, all, context, job);
    return withModel(teacherPath, (teacher) =>
      retrain(model, all, { ...context, teacher: { model: teacher, weight, hiddenWeight } }, job),
    );
  });
}

export const losses = ({ trace }: RetrainResult): number[] => trace.map(({ loss }) => loss);
export const tiny = (name: TinyName, seed = 1): string => tinyCheckpoint(name, { tokenizer: true, seed });

export const refused = (work: Promise<unknown>, words: RegExp): Promise<void> =>
  assert.rejects(
    work,
    (error) => error instanceof UserError && words.test(`${error.what}: ${error.why}. ${error.action}`),
  );
