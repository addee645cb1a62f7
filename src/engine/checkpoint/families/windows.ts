/** Which blocks attend only to a window, and its width. Reads the config like transformers. */
import type { LayerShape } from '../architecture';
import { badField, count, flag, isSet, show, type Config } from '../fields';
import { windowOf } from '../kinds/parts';
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

/** One window for all blocks (Mistral). @param usual where the config is silent */
export function sharedWindow(
  config: Config,
  blocks: number,
  usual: number | null = DEFAULT_WINDOW,
): Windows | Unsupported {
  const window = windowWidth(config, usual);
  // transformers loads a Mistral with layer_types as a Ministral, whose layers differ.
  if (isSet(config, 'layer_types')) return slidingWindows(listedSliding(config.layer_types, blocks), window);
  return Array.from({ length: blocks }, () => window);
}

/** Windows from block `max_window_layers` on, if `use_sliding_window` is true (Qwen). */
export function upperWindows(config: Config, blocks: number): Windows | Unsupported {
  const window = flag(config, 'use_sliding_window', false) ? windowWidth(config) : null;
  if (isSet(config, 'layer_types')) return slidingWindows(listedSliding(config.layer_types, blocks), window);
  const full =
    config.max_window_layers === 0 ? 0 : count(config, 'max_window_layers', MAX_DIMENSION.context, DEFAULT_FULL_LAYERS);
  return Array.from({ length: blocks }, (_, block) => (block >= full ? window : null));
}

/** `sliding_window`. Null turns the window off; only an absent field takes the default. */
export function windowWidth(config: Config, usual: number | null = DEFAULT_WINDOW): number | null {
  if (config.sliding_window === null || (usual === null && config.sliding_window === undefined)) return null;
  return count(config, 'sliding_window', MAX_DIMENSION.context, usual ?? undefined);
}

/**
 * Whether each block is of the sliding kind.
 * @param rule where the config has no `layer_types`
 */
export function slidingBlocks(
  config: Config,
  blocks: number,
  rule: (block: number) => boolean,
): readonly boolean[] | Unsupported {
  if (isSet(config, 'layer_types')) return listedSliding(config.layer_types, blocks);
  return Array.from({ length: blocks }, (_, block) => rule(block));
}

/** The windows of blocks of the two kinds. @throws UserError for sliding blocks without a window */
export function slidingWindows(
  sliding: readonly boolean[] | Unsupported,
  window: number | null,
): Windows | Unsupported {
  if ('why' in sliding) return sliding;
  if (window === null && sliding.includes(true)) {
    throw badField('layer_types', 'it names sliding_attention, but the other fields give no window (sliding_window)');
  }
  return sliding.map((isSliding) => (isSliding ? window : null));
}

function listedSliding(types: unknown, blocks: number): readonly boolean[] | Unsupported {
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
  return types.map((type) => type === 'sliding_attention');
}

/** `layer_types` of the kept blocks. @param isSliding by block of the whole model */
export function layerTypes(kept: readonly number[], isSliding: (block: number) => boolean): string[] {
  return kept.map((block) => (isSliding(block) ? 'sliding_attention' : 'full_attention'));
}

/**
 * Lists the kinds of the blocks in a pruned config if the original defines them by a rule on block numbers, so that all
 * readers agree.
 */
export function listedWindows(config: Config, layers: readonly LayerShape[], kept: readonly number[]): PrunedFields {
  if (config.use_sliding_window !== true || Array.isArray(config.layer_types)) return {};
  if (layers.every((layer) => windowOf(layer) === null)) return {};
  const types = layerTypes(kept, (block) => windowOf(layers[block]) !== null);
  if (config.max_window_layers !== undefined) return { layer_types: types };
  // The class's default counts the blocks of the whole model.
  return { layer_types: types, max_window_layers: types.filter((type) => type === 'full_attention').length };
}
