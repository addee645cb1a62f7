/** The removal as recipes for other tools: mergekit passthrough and llama.cpp's `--prune-layers`. */
import { quoted } from '../../format/shell';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import { isRagged } from '../checkpoint/ragged';
import { type Dtype, elementTypeOf } from '../formats/dtype';
import { mainDtype } from '../checkpoint/main-dtype';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { modelName } from '../records/record';
import type { Slice } from '../checkpoint/block-list';
import { ropeOf, windowOf } from '../checkpoint/kinds/parts';

/** mergekit's names of the stored types that it computes in. */
const MERGEKIT_DTYPES: Readonly<Partial<Record<Dtype, string>>> = { BF16: 'bfloat16', F16: 'float16', F32: 'float32' };

/** Whether mergekit and llama.cpp can remove blocks of the model. */
export const isKnownToOthers = (checkpoint: Checkpoint): boolean => whyUnknown(checkpoint) === undefined;

function whyUnknown({ narrowing, config, others, architecture }: Checkpoint): string | undefined {
  if (narrowing || isRagged(config ?? {}))
    return 'its blocks are narrower than its config tells mergekit and llama.cpp';
  if (others) return 'it is the language model of a multimodal one, of which the others write no part';
  const kinds = new Set(
    architecture?.layers.map((layer) =>
      JSON.stringify([layer.mixer.kind, layer.ffn.kind, windowOf(layer), ropeOf(layer)]),
    ),
  );
  if (kinds.size > 1)
    return 'its blocks differ in kind, window or rotation, and the others tell them by their new numbers';
  return undefined;
}

/**
 * @throws UserError for a model of which mergekit and llama.cpp would make another one. Call it before the work starts,
 *   if a recipe is asked for
 */
export function requireKnownToOthers(checkpoint: Checkpoint): void {
  const why = whyUnknown(checkpoint);
  if (why === undefined) return;
  throw new UserError(
    `There is no recipe for ${modelName(checkpoint)} in other tools`,
    why,
    'Let Coppice write the pruned checkpoint.',
  );
}

/** @throws UserError for a model in GGUF files, which mergekit does not read */
export function requireKnownToMergekit(checkpoint: Checkpoint): void {
  if (!isGgufCheckpoint(checkpoint)) return;
  throw new UserError(
    `There is no recipe for ${modelName(checkpoint)} in mergekit`,
    'mergekit reads no GGUF files',
    'Take the recipe for llama.cpp.',
  );
}

/** The GGUF file that llama.cpp prunes; undefined for a checkpoint that has to be converted first. */
export const ggufOf = (checkpoint: Checkpoint): string | undefined =>
  isGgufCheckpoint(checkpoint) ? checkpoint.home : undefined;

/**
 * A mergekit configuration that keeps `slices` (half-open, like mergekit's ranges) of `model`, a path or repository.
 * mergekit adapts only `num_hidden_layers`, so models with per-layer lists in their config must be written by Coppice.
 */
export function mergekitRecipe(model: string, slices: readonly Slice[], checkpoint: Checkpoint): string {
  const sources = slices.map(
    ([start, end]) =>
      `  - sources:\n      - model: ${JSON.stringify(model)}\n        layer_range: [${start}, ${end}]\n`,
  );
  const main = mainDtype(checkpoint);
  const dtype = (main && MERGEKIT_DTYPES[elementTypeOf(main)]) ?? 'bfloat16';
  return `slices:\n${sources.join('')}merge_method: passthrough\ndtype: ${dtype}\n`;
}

/** The llama.cpp command that prunes a GGUF file of the whole model without quantizing it. */
export function pruneLayersCommand(removed: readonly number[], input = 'model.gguf', output = 'pruned.gguf'): string {
  return `llama-quantize --prune-layers ${removed.join(',')} ${quoted(input, 'posix')} ${quoted(output, 'posix')} COPY`;
}
