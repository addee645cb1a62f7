/** Experts in a GGUF file. What llama.cpp computes with them is a matter of its architecture, and no field changes it. */
import type { GgufField } from '../../formats/gguf/layout';
import { u32 } from '../../formats/gguf/values';
import { MAX_DIMENSION } from '../../formats/limits';
import type { DenseFeedForward } from '../kinds/dense';
import { cannotWrite, SAFETENSORS } from './cannot';
import type { Dialect } from './dialects/dialect';
import type { GgufFields } from './fields';
import type { GgufArchitecture, GgufShape } from './shapes';

export const EXPERT_COUNT = 'expert_count';
const CHOSEN = 'expert_used_count';

/** Without another word for it, the width of an expert is that of an FFN. */
export const FFN_WIDTH = 'feed_forward_length';

/** The experts of every block, by the fields of a file; undefined in a dialect without. @throws UserError for an impossible number */
export function readFileExperts({ experts }: Dialect, fields: GgufFields): GgufShape['experts'] {
  if (!experts) return undefined;
  const count = fields.count(EXPERT_COUNT, MAX_DIMENSION.experts);
  return {
    ...{ count, chosen: fields.count(CHOSEN, count), weighs: experts.weighs },
    ...(experts.shared !== undefined && { shared: sharedFfn(fields.count(experts.shared, MAX_DIMENSION.ffn)) }),
  };
}

/** As files have it: gate and up apart. */
const sharedFfn = (width: number): DenseFeedForward => ({ kind: 'dense', width, biases: [], fused: false });

/** What a file says of experts. */
export function expertFields({ experts }: Dialect, { layers: [first] }: GgufArchitecture): GgufField[] {
  if (!experts || !first.experts) return [];
  return [
    [EXPERT_COUNT, u32(first.experts.count)],
    [CHOSEN, u32(first.experts.chosen)],
    ...(experts.width === FFN_WIDTH ? [] : [[experts.width, u32(first.ffn)] as const]),
    ...(experts.shared === undefined ? [] : [[experts.shared, u32(first.experts.shared!.width)] as const]),
  ];
}

const refused = (why: string): Error => cannotWrite(why, SAFETENSORS);

/** @throws UserError for experts that the architecture of llama.cpp computes otherwise. Measured with llama.cpp 0.5.0 */
export function requireExperts({ name, experts, ungrouped }: Dialect, { layers }: GgufArchitecture): void {
  const dense = layers.findIndex((layer) => layer.experts === undefined);
  if (!experts) return;
  const architecture = `llama.cpp’s architecture ${name}`;
  if (dense !== -1)
    throw refused(
      `its block ${dense} has a dense FFN beside blocks with experts, and ${architecture} has experts in all`,
    );
  const [{ heads, kvHeads, experts: own }] = layers;
  if (own!.weighs !== experts.weighs) {
    const does =
      experts.weighs === 'chosen'
        ? 'divides the weights of the chosen experts by'
        : 'takes the weights of the chosen experts without';
    const said = experts.weighs === 'chosen' ? 'false' : 'true';
    throw refused(`its norm_topk_prob is ${said}, and ${architecture} ${does} their sum, whatever a file says`);
  }
  if (layers.some(({ clip }) => clip !== undefined))
    throw refused(`it bounds queries, keys and values (clip_qkv), and ${architecture} does not`);
  if (ungrouped && kvHeads !== heads)
    throw refused(
      `${heads} query heads share ${kvHeads} heads of keys and values, and ${architecture} has as many of both`,
    );
}
