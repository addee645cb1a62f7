/** The precision of models that write text, if the user leaves it to Coppice. */
import type { Architecture } from '../checkpoint/architecture';
import { memoryFor } from '../memory';
import { chooseDevice } from '../onnx/device';
import type { Precision, PrecisionChoice } from '../precision';
import { bytesOfWeights } from '../weights/bytes';
import type { ModelOptions } from './model';

/**
 * `auto` is float32 where all models fit into half of the free memory together, else int8, else int4. On a GPU it is
 * float32.
 * @param architectures of the models that are open at the same time
 * @throws UserError when the device is missing
 */
export async function precisionForText(
  choice: PrecisionChoice,
  architectures: readonly Architecture[],
  { device = 'auto', threads }: Pick<ModelOptions, 'device' | 'threads'>,
): Promise<Precision> {
  if (choice !== 'auto') return choice;
  const precision = fitting(architectures, memoryFor('text'));
  if (precision === 'float32') return precision;
  const { provider } = await chooseDevice(device, threads);
  return provider === 'cpu' ? precision : 'float32';
}

/** The most exact precision in which the models fit into so many bytes together; int4 if they fit in none. */
function fitting(architectures: readonly Architecture[], bytes: number): 'float32' | 'int8' | 'int4' {
  const fits = (precision: Precision): boolean =>
    architectures.reduce((sum, each) => sum + bytesOfWeights(each, precision), 0) <= bytes;
  if (fits('float32')) return 'float32';
  return fits('int8') ? 'int8' : 'int4';
}
