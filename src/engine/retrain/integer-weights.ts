/** The frozen weights of a training in 8-bit integers, and the models whose training they are good enough for. */
import { otherKindIn } from '../checkpoint/kinds/parts';
import { UserError } from '../errors';
import type { Model } from '../model/model';
import { requirePrecision } from '../onnx/require-precision';
import { set } from '../option-token';
import { inRowInt8 } from '../weights/row-int8';
import type { WeightSource } from '../weights/source';

/**
 * The model's weights in 8-bit integers. Blocks of attention or of short convolutions with a dense FFN have them: of others, the
 * gradients were off by 25 to 150 % on models with random weights.
 * @throws UserError where they cannot be used
 */
export async function integerWeights(model: Model): Promise<WeightSource> {
  await requirePrecision('int8', model.device, ['int8']);
  const action = `${set('precision', 'float32')}.`;
  const other = otherKindIn(model.architecture.layers.filter(({ mixer }) => mixer.kind !== 'convolution'));
  if (other !== undefined) {
    const why = `it has ${other}, where gradients in 8-bit integers were measured to be far from those of float32`;
    throw new UserError('This model is not trained in int8', why, action);
  }
  const weights = await inRowInt8(model.weights);
  if (weights) return weights;
  throw new UserError('int8 cannot be computed on this processor', 'its products of 8-bit integers are wrong', action);
}
