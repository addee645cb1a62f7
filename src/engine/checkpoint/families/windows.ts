/** Which blocks attend only to a window, and its width. Reads the config like transformers. */
import type { LayerShape } from '../architecture';
import { badField, count, flag, isSet, show, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Unsupported } from '../types';
import type { PrunedFields } from './family';

/** A window for each block; null if a block attends to all earlier positions. */
export type Windows = readonly (number | null)[];

/** Defaults of the configuration classes. */
const DEFAULT_WINDOW = 4096;
const DEFAULT_FULL_LAYERS = 28;

/** No block has a window, whatever the config says. */
export function noWindows(blocks: number): Windows {
  return Array<null>(blocks).fill(null);
}

/** One window for all blocks (Mistral). */
export function sharedWindow(config: Config, blocks: number): Windows | Unsupported {
  // Null turns the window off; only an absent field takes the default.
  const window =
    config.sliding_window === null ? null : count(config, 'sliding_window', MAX_DIMENSION.context, DEFAULT_WINDOW);
  // transformers loads a Mistral with layer_types as a Ministral, whose layers differ.
  if (isSet(config, 'layer_types')) return fromLayerTypes(config.layer_types, window, blocks);
  return Array.from({ length: blocks }, () => window);
}

/** Windows from block `max_window_layers` on, if `use_sliding_window` is true (Qwen). */
export function upperWindows(config: Config, blocks: number): Windows | Unsupported {
  const off = !flag(config, 'use_sliding_window', false) || config.sliding_window === null;
  const window = off ? null : count(config, 'sliding_window', MAX_DIMENSION.context, DEFAULT_WINDOW);
  if (isSet(config, 'layer_types')) return fromLayerTypes(config.layer_types, window, blocks);
  const full =
    config.max_window_layers === 0 ? 0 : count(config, 'max_window_layers', MAX_DIMENSION.context, DEFAULT_FULL_LAYERS);
  return Array.from({ length: blocks }, (_, block) => (block >= full ? window : null));
}

function fromLayerTypes(types: unknown, window: number | null, blocks: number): Windows | Unsupported {
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

/**
 * Lists the kinds of the blocks in a pruned config if the original defines them by a rule on block numbers, so that all
 * readers agree.
 */
export function listedWindows(config: Config, layers: readonly LayerShape[], kept: readonly number[]): PrunedFields {
  if (config.use_sliding_window !== true || Array.isArray(config.layer_types)) return {};
  if (layers.every(({ window }) => window === null)) return {};
  const types = kept.map((block) => (layers[block].window === null ? 'full_attention' : 'sliding_attention'));
  if (config.max_window_layers !== undefined) return { layer_types: types };
  // The class's default counts the blocks of the whole model.
  return { layer_types: types, max_window_layers: types.filter((type) => type === 'full_attention').length };
}
