/**
 * The loss of the unpruned model on the rows of every evaluation: what a retraining can hope to come near. It takes the way
 * of the evaluations, so that without a removed block it is the same number as before the first step.
 */
import type { JobOptions } from '../progress';
import { Work } from '../progress';
import type { Model } from '../model/model';
import { fullView } from '../model/view';
import type { WeightSource } from '../weights/source';
import { longestRow, type Example } from './data/example';
import { Backprop } from './loop/backprop';
import { countTokens, toBatch } from './loop/batch';
import { rowsWork } from './loop/progress';
import { loraModel } from './lora/lora-model';

/**
 * @param heldOut the rows of an evaluation; at least one
 * @param frozen the model's weights in the arithmetic of the evaluations; its own when undefined
 * @returns the mean cross-entropy of the tokens to learn, in nats
 * @throws CancelledError
 */
export async function unprunedLoss(
  model: Model,
  heldOut: readonly Example[],
  frozen: WeightSource | undefined,
  job: JobOptions,
): Promise<number> {
  const shape = { rank: 1, alpha: 1, dropout: false, targets: [] };
  const trainable = loraModel(model, fullView(model.architecture.layers.length), shape, new Map(), frozen);
  const backprop = await Backprop.create(model, trainable, { longest: longestRow({ train: [], heldOut }) });
  try {
    const batch = toBatch(heldOut);
    const work = new Work(job, countTokens(batch.rows), 'tokens', 'measuring the original');
    const { loss } = await backprop.loss(batch, rowsWork(work, 'measuring the original', batch.rows.length));
    return loss;
  } finally {
    await backprop.close();
  }
}
