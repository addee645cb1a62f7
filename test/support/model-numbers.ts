/** What a model computes in every way that there is, to compare one source of its weights with another. */
import { generate } from '../../src/engine/evaluate/generate';
import { scoreMagnitude } from '../../src/engine/importance/criteria/magnitude';
import { scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import { scoreTaylor } from '../../src/engine/importance/criteria/taylor';
import type { Model } from '../../src/engine/model/model';
import { decodedLogits } from './model';
import { fullSetup, loraSetup, textBatch, type TrainingSetup, withBackprop } from './training';

/** Scores, logits, a text, and gradients of both trainings on these rows. */
export async function numbersOf(model: Model, rows: readonly (readonly number[])[]): Promise<Record<string, unknown>> {
  const training = async ({ trainable }: TrainingSetup): Promise<unknown> =>
    withBackprop(model, trainable, {}, (backprop) => backprop.gradients(textBatch(rows)));
  const taylor = await scoreTaylor(model, rows);
  const { ids } = await generate(model, rows[0], { maxNewTokens: 6, greedy: true, ignoreEos: true });
  return {
    perplexity: await scoreBlocks(model, rows, { seed: 1 }),
    taylor: [taylor.meanNll, taylor.tensors],
    magnitude: await scoreMagnitude(model.weights),
    logits: await decodedLogits(model, [rows[0], rows[1]]),
    ids,
    lora: await training(loraSetup(model)),
    full: await training(await fullSetup(model)),
  };
}
