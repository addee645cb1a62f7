/** Which blocks attend to a window only, and how wide it is, as transformers decides it per family. */
import type { Family, LayerShape } from './architecture';
import { badField, count, flag, isSet, show, type Config } from './fields';
import { MAX_DIMENSION } from '../formats/limits';
import type { Unsupported } from './types';

/** Defaults of the configuration classes. */
const DEFAULT_WINDOW = 4096;
const DEFAULT_FULL_LAYERS = 28;

export function readSlidingWindow(
  config: Config,
  family: Family,
  blocks: number,
): LayerShape['window'][] | Unsupported {
  const every = (window: (block: number) => number | null): (number | null)[] =>
    Array.from({ length: blocks }, (_, k) => window(k));
  switch (family) {
    case 'llama': // has no windows, whatever its config says
      return every(() => null);
    case 'mistral': {
      // Null turns the window off; only an absent field takes the default.
      const window =
        config.sliding_window === null ? null : count(config, 'sliding_window', MAX_DIMENSION.context, DEFAULT_WINDOW);
      // transformers takes a Mistral with layer_types for a Ministral, whose layers differ.
      if (isSet(config, 'layer_types')) return fromLayerTypes(config.layer_types, window, blocks);
      return every(() => window);
    }
    case 'qwen2':
    case 'qwen3': {
      const off = !flag(config, 'use_sliding_window', false) || config.sliding_window === null;
      const window = off ? null : count(config, 'sliding_window', MAX_DIMENSION.context, DEFAULT_WINDOW);
      if (isSet(config, 'layer_types')) return fromLayerTypes(config.layer_types, window, blocks);
      const full =
        config.max_window_layers === 0
          ? 0
          : count(config, 'max_window_layers', MAX_DIMENSION.context, DEFAULT_FULL_LAYERS);
      return every((block) => (block >= full ? window : null));
    }
  }
}

function fromLayerTypes(types: unknown, window: number | null, blocks: number): (number | null)[] | Unsupported {
  if (!Array.isArray(types) || types.length !== blocks) {
    throw badField('layer_types', `it does not list one kind for each of the ${blocks} blocks (num_hidden_layers)`);
  }
  const odd: unknown = types.find((type) => type !== 'full_attention' && type !== 'sliding_attention');
  if (odd !== undefined) {
    return {
      why: `its layer_types name ${show(odd)}`,
      action: 'Coppice computes full_attention and sliding_attention; the checkpoint can be inspected.',
    };
  }
  if (window === null && types.includes('sliding_attention')) {
    throw badField('layer_types', 'it names sliding_attention, but the other fields give no window (sliding_window)');
  }
  return types.map((type) => (type === 'sliding_attention' ? window : null));
}
