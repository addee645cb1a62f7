/** How weights lie in a GGUF file, where that is not as in the model. */
import type { TensorInfo, Tiled } from '../../formats/tensor';
import type { Architecture } from '../architecture';
import type { DeltaNetMixer, DeltaNetWeight } from '../kinds/delta-net';
import { attentionOf } from '../kinds/parts';
import type { BlockWeightName, WeightKey } from '../weight-key';
import type { Dialect } from './dialects/dialect';
import { NORMS, ROTATED } from './names';

export type Lies = Pick<TensorInfo, 'paired' | 'above' | 'tiled' | 'power'>;

/** Nothing for most weights. @param architecture the model of the file */
export function liesOf({ paired }: Pick<Dialect, 'paired'>, architecture: Architecture, key: WeightKey): Lies {
  const { style, layers } = architecture;
  const name = typeof key === 'string' ? key : key.name;
  const above = NORMS.has(name) ? style.normOffset : 0;
  if (typeof key === 'string') return above === 0 ? {} : { above };
  const layer = layers[key.layer];
  const tiled = layer.mixer.kind === 'deltaNet' ? tiledIn(layer.mixer, name as DeltaNetWeight) : undefined;
  return {
    ...(paired && ROTATED.has(name) && { paired: attentionOf(layer).headDim }),
    ...(above !== 0 && { above }),
    ...(tiled && { tiled }),
    ...(POWERS.has(name) && { power: true }),
  };
}

/** Files have −e^x in place of these. */
const POWERS: ReadonlySet<string> = new Set<BlockWeightName>(['deltaLog', 'ssmLog']);

/** Files have the heads of values in another order. */
function tiledIn(mixer: DeltaNetMixer, name: DeltaNetWeight): Tiled | undefined {
  const { keyHeads, keyWidth, heads, valueWidth } = mixer;
  const each = heads / keyHeads;
  if (each === 1 || keyHeads === 1) return undefined; // either order
  const lines = (axis: Tiled['axis'], width: number, first = 0): Tiled => ({
    axis,
    first,
    width,
    groups: keyHeads,
    each,
  });
  switch (name) {
    case 'deltaQkv':
    case 'deltaKernel':
      return lines('rows', valueWidth, 2 * keyHeads * keyWidth);
    case 'deltaGate':
      return lines('rows', valueWidth);
    case 'deltaBeta':
    case 'deltaDecay':
    case 'deltaLog':
    case 'deltaTime':
      return lines('rows', 1);
    case 'deltaOut':
      return lines('columns', valueWidth);
    default:
      return undefined;
  }
}
