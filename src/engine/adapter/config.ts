/**
 * Reads and writes PEFT's `adapter_config.json`. Reading refuses every setting that changes the meaning of the
 * matrices. Writing includes the fields that PEFT requires.
 */
import { ADAPTER_CONFIG } from '../formats/peft';
import { badField, isSet, show, type Config } from '../checkpoint/fields';
import { UserError } from '../errors';
import { type Architecture, linearNames, type LinearName } from '../checkpoint/architecture';
import { blockWeights } from '../checkpoint/weight-names';

/** Far above any rank in use; a rank above the width of the Linears saves nothing. */
const MAX_RANK = 2 ** 16;

export interface AdapterConfig {
  readonly rank: number;
  /** Chosen so that the factor is α/r, even if the file specifies α/√r. */
  readonly alpha: number;
  readonly dropout: number;
  /** Module names or their ends; undefined if the file has a pattern. */
  readonly targetModules?: readonly string[] | 'all-linear';
  /** The blocks that are adapted; undefined for all. */
  readonly layers?: readonly number[];
}

/** Fields that must be unset, false or empty, and their meanings. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  use_dora: 'DoRA scales the columns of the adapted weight',
  rank_pattern: 'modules have ranks of their own',
  alpha_pattern: 'modules have factors of their own',
  modules_to_save: 'whole modules were trained beside the adapter',
  lora_bias: 'the adapter adds biases',
  fan_in_fan_out: 'weights are expected as (in, out)',
  layer_replication: 'blocks of the model are repeated',
  trainable_token_indices: 'rows of the embedding were trained',
  target_parameters: 'parameters other than Linears are adapted',
  alora_invocation_tokens: 'it works only after certain tokens (aLoRA)',
  use_qalora: 'inputs are pooled before the adapter (QA-LoRA)',
  use_bdlora: 'its matrices are block-diagonal (BD-LoRA)',
  arrow_config: 'it chooses among several adapters (Arrow)',
  kasa_config: 'singular values are trained (KaSA)',
};

/** Initialisations that do not change the base's weights. The others subtract the initial product from them. */
const PLAIN_STARTS: readonly unknown[] = [true, false, 'gaussian', 'eva', 'orthogonal'];

/** Reads the parsed config. @throws UserError for another kind of adapter, or an invalid field */
export function readAdapterConfig(config: Config): AdapterConfig {
  const { peft_type: type, task_type: task, bias, init_lora_weights: start, r, lora_dropout: dropout } = config;
  if (type !== 'LORA') throw notSupported('peft_type', `${show(type)} is not LORA`);
  if (isSet(config, 'task_type') && task !== 'CAUSAL_LM')
    throw notSupported('task_type', `${show(task)} is not CAUSAL_LM`);
  for (const [field, why] of Object.entries(UNSUPPORTED)) if (!isEmpty(config[field])) throw notSupported(field, why);
  if (isSet(config, 'bias') && bias !== 'none') throw notSupported('bias', `${show(bias)}: biases were trained too`);
  if (isSet(config, 'init_lora_weights') && !PLAIN_STARTS.includes(start)) {
    throw notSupported('init_lora_weights', `${show(start)} changes the base's weights as well`);
  }
  if (typeof r !== 'number' || !Number.isSafeInteger(r) || r < 1 || r > MAX_RANK) {
    throw bad('r', `${show(r)} is not a whole number from 1 to ${MAX_RANK}`);
  }
  if (isSet(config, 'lora_dropout') && !(typeof dropout === 'number' && dropout >= 0 && dropout < 1)) {
    throw bad('lora_dropout', `${show(dropout)} is not a number from 0 to below 1`);
  }
  return {
    rank: r,
    alpha: readAlpha(config, r),
    dropout: typeof dropout === 'number' ? dropout : 0,
    targetModules: readTargetModules(config),
    layers: readLayers(config),
  };
}

/** α; with `use_rslora` (Kalajdzievski 2023) the factor is α/√r, so α√r is returned. */
function readAlpha(config: Config, rank: number): number {
  const { lora_alpha: alpha, use_rslora: rslora } = config;
  if (typeof alpha !== 'number' || !Number.isFinite(alpha) || alpha <= 0) {
    throw bad('lora_alpha', `${show(alpha)} is not a number above 0`);
  }
  if (isSet(config, 'use_rslora') && typeof rslora !== 'boolean') {
    throw bad('use_rslora', `${show(rslora)} is neither true nor false`);
  }
  return rslora === true ? alpha * Math.sqrt(rank) : alpha;
}

function readTargetModules(config: Config): AdapterConfig['targetModules'] {
  const { target_modules: modules } = config;
  if (modules === 'all-linear') return modules;
  if (isSet(config, 'exclude_modules') || !Array.isArray(modules)) return undefined;
  if (!modules.every((name): name is string => typeof name === 'string')) {
    throw bad('target_modules', `${show(modules)} is not a list of names`);
  }
  return modules;
}

function readLayers(config: Config): number[] | undefined {
  if (!isSet(config, 'layers_to_transform')) return undefined;
  const value = config.layers_to_transform;
  const layers: unknown[] = Array.isArray(value) ? value : [value];
  if (!layers.every((layer): layer is number => Number.isSafeInteger(layer))) {
    throw bad('layers_to_transform', `${show(value)} is not a list of block numbers`);
  }
  return layers;
}

/**
 * PEFT's target name of a Linear's module: "q_proj". It is the same in all blocks that have the Linear. Where another Linear has the
 * same name in another module, the module's stands before it: "conv.out_proj".
 */
export function moduleName(architecture: Architecture, linear: LinearName): string {
  const paths = new Map<LinearName, readonly string[]>();
  for (const block of architecture.layers.keys()) {
    const weights = blockWeights(architecture, block);
    for (const name of linearNames(architecture)) {
      if (weights[name]) paths.set(name, weights[name].name.split('.').slice(0, -1));
    }
  }
  const own = paths.get(linear)!;
  const isShared = [...paths].some(([name, path]) => name !== linear && path.at(-1) === own.at(-1));
  return own.slice(isShared ? -2 : -1).join('.');
}

/**
 * The config that PEFT loads.
 * @param base display name of the base model; `architecture` excludes the blocks that are left out
 */
export function adapterConfig(
  config: AdapterConfig,
  targets: readonly LinearName[],
  { architecture, base }: { readonly architecture: Architecture; readonly base: string },
): object {
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: config.rank,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    target_modules: targets.map((name) => moduleName(architecture, name)),
    layers_to_transform: config.layers ?? null,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
    rank_pattern: {},
    alpha_pattern: {},
    revision: null,
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const bad = (field: string, why: string): UserError => badField(field, why, undefined, ADAPTER_CONFIG);

const notSupported = (field: string, why: string): UserError =>
  new UserError(
    `${ADAPTER_CONFIG}: ${field} asks for an adapter that Coppice cannot use`,
    why,
    'Use a plain LoRA adapter of a language model, or merge this one with the tool that made it.',
  );
