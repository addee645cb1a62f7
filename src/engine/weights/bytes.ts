/** Memory of a model's weights in a precision. */
import type { Architecture } from '../checkpoint/architecture';
import { elements, parametersOf } from '../checkpoint/parameters';
import { outerWeights } from '../checkpoint/weight-names';
import type { Precision } from '../precision';
import { BITS, blockLayout } from './blocks/layout';

/**
 * Bytes of the weights that products read, in float32 or in blocks. In blocks, an embedding stays in its file.
 * @param hasOffsets of blocks of 4 bits: 3 to 6 % more, which only a look at the weights can tell (blocks/offsets.ts)
 */
export function bytesOfWeights(architecture: Architecture, precision: Precision, hasOffsets = false): number {
  if (precision !== 'int8' && precision !== 'int4') return 4 * parametersOf(architecture);
  const { bytes, matrices } = blockLayout(architecture, BITS[precision], hasOffsets && precision === 'int4');
  const inBlocks = [...matrices.values()].reduce((sum, { out, width }) => sum + out * width, 0);
  const { embed } = outerWeights(architecture);
  const others = parametersOf(architecture) - inBlocks - (architecture.tied ? 0 : elements(embed.shape));
  return bytes + 4 * others;
}
