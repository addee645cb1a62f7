/** What families of mixtures of experts read alike. */
import type { LayerShape } from '../architecture';
import { badField, count, flag, isSet, type Config } from '../fields';
import type { ExpertsFeedForward } from '../kinds/experts';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Unsupported } from '../types';

/** The number of experts: the word of files of transformers 4 and of the Hub, and that of transformers 5. */
const EXPERT_COUNTS = ['num_experts', 'num_local_experts'] as const;
const CHOSEN = 'num_experts_per_tok';
const NORMED = 'norm_topk_prob';

/** Fields that `readExperts` reads. */
export const EXPERT_READS: readonly string[] = [...EXPERT_COUNTS, CHOSEN, NORMED];

/** Families whose class reads the second word where both are absent. */
const LOCAL: readonly string[] = ['mixtral', 'granitemoehybrid'];

/** The fields of a config that say how many experts there are: those that are set, else the one that its class reads. */
export function expertCountFields(config: Config, family: string): readonly string[] {
  const present = EXPERT_COUNTS.filter((name) => isSet(config, name));
  if (present.length > 0) return present;
  return [LOCAL.includes(family) ? 'num_local_experts' : EXPERT_COUNTS[0]];
}

interface ExpertRules {
  /** Where the config is silent. */
  readonly usual: { readonly count: number; readonly chosen: number };
  /** Neurons of an expert. */
  readonly width: number;
  /** Whether the weights of the chosen experts are divided by their sum, whatever the config says. */
  readonly alwaysNormed?: true;
}

/** The experts of a block; undefined where the config says that there are none. @throws UserError for a field that is impossible */
export function readExperts(
  config: Config,
  { usual, width, alwaysNormed }: ExpertRules,
): ExpertsFeedForward | undefined {
  const field = EXPERT_COUNTS.find((name) => isSet(config, name)) ?? EXPERT_COUNTS[0];
  if (config[field] === 0) return undefined;
  const all = count(config, field, MAX_DIMENSION.experts, usual.count);
  const chosen = count(config, CHOSEN, MAX_DIMENSION.experts, usual.chosen);
  if (chosen > all) throw badField(CHOSEN, `a token cannot have ${chosen} of ${all} experts`);
  const weighs = (alwaysNormed ?? flag(config, NORMED, false)) ? 'chosen' : 'all';
  return { kind: 'experts', count: all, chosen, width, weighs };
}

/** The blocks with experts where `of` has some. */
export function withExperts(
  layers: readonly LayerShape[] | Unsupported,
  of: (block: number) => ExpertsFeedForward | undefined,
): readonly LayerShape[] | Unsupported {
  if ('why' in layers) return layers;
  return layers.map((layer, block) => ({ ...layer, ffn: of(block) ?? layer.ffn }));
}
