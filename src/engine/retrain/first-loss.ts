/**
 * The loss of a distillation before its first step, in the arithmetic of a training: what another program that trains the same
 * model on the same rows has to find.
 */
import type { JobOptions } from '../progress';
import { Work } from '../progress';
import type { Model } from '../model/model';
import { fullView } from '../model/view';
import { longestRow, type Example } from './data/example';
import { Backprop } from './loop/backprop';
import { countTokens, toBatch } from './loop/batch';
import { rowsWork } from './loop/progress';
import { loraModel } from './lora/lora-model';
import { Teacher } from './teacher/teacher';

export interface FirstLoss {
  /** The loss, in nats: (1 − weight) cross-entropy + weight KL divergence, as a mean over the targets. */
  readonly loss: number;
  /** The cross-entropy alone. */
  readonly crossEntropy: number;
  readonly targets: number;
}

/**
 * @param student all of whose blocks are used
 * @param weight the teacher's share of the loss, above 0 and at most 1
 * @param rows the first rows, at least one with a target
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export async function firstLoss(
  student: Model,
  { model, weight }: { readonly model: Model; readonly weight: number },
  rows: readonly Example[],
  job: JobOptions,
): Promise<FirstLoss> {
  // An adapter that changes no Linear: nothing is trained, so nothing passes backward.
  const shape = { rank: 1, alpha: 1, dropout: false, targets: [] };
  const trainable = loraModel(student, fullView(student.architecture.layers.length), shape, new Map());
  const view = fullView(model.architecture.layers.length);
  const teacher = await Teacher.open(model, view, { weight, student, headFrozen: true });
  try {
    const backprop = await Backprop.create(student, trainable, {
      teacher,
      longest: longestRow({ train: rows, heldOut: [] }),
    });
    try {
      const batch = toBatch(rows);
      const work = new Work(job, 2 * countTokens(batch.rows), 'tokens', 'the first loss');
      const { loss, targets } = await backprop.gradients(batch, rowsWork(work, 'the first loss', batch.rows.length));
      const { loss: crossEntropy } = await backprop.loss(batch, rowsWork(work, 'the first loss', batch.rows.length));
      return { loss, crossEntropy, targets };
    } finally {
      await backprop.close();
    }
  } finally {
    await teacher.close();
  }
}
