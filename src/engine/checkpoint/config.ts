/**
 * A Hugging Face `config.json` as an `Architecture`. Absent fields take the defaults of transformers' configuration
 * classes, family by family. So a checkpoint has the same meaning in both.
 */
import { counted } from '../../format/words';
import { isObject } from '../../format/json';
import { type Architecture, PLAIN_STYLE } from './architecture';
import { FAMILIES, familyOfType } from './families';
import type { FamilyDefaults, ModelFamily } from './families/family';
import { printable } from '../formats/bounded-json';
import { atLeastZero, badField, count, flag, isSet, tokenIds, word, type Config } from './fields';
import { MAX_DIMENSION } from '../formats/limits';
import { familyField, isRagged, raggedLayers } from './ragged';
import { textConfig } from './text-part';
import { oddSetting } from './unsupported-settings';
import { hasOtherPart, otherKind } from './other-kinds';
import { quantizationScheme, unsupportedScheme } from './quantization';
import type { Unsupported } from './types';

const DEFAULT_EPS = 1e-6;

/**
 * Reads the architecture from a parsed config; of a multimodal Gemma 3, that of its language model. Returns the reason if Coppice
 * cannot compute with it. Throws `UserError` if a field is missing or impossible.
 */
export function readConfigArchitecture(stored: Config): Architecture | Unsupported {
  const config = textConfig(stored);
  const family = readFamily(config);
  if ('why' in family) return family;
  const odd = oddSetting(config, family);
  if (odd) return odd;
  const architecture = readDimensions(family.spelled?.(config) ?? config, family);
  const scheme = quantizationScheme(config);
  if (scheme === undefined || scheme === family.packed || isUnsupported(architecture)) return architecture;
  return { ...unsupportedScheme(scheme), described: architecture };
}

export function isUnsupported(result: Architecture | Unsupported): result is Unsupported {
  return 'why' in result;
}

function readFamily(config: Config): ModelFamily | Unsupported {
  const field = familyField(config);
  const type = word(config, field);
  const family = familyOfType(type);
  const action = `Coppice computes with ${FAMILIES.map(({ modelType }) => modelType).join(', ')}; the checkpoint can be inspected.`;
  const kind = type === undefined ? undefined : otherKind(type);
  if (isObject(config.text_config)) {
    const what = `"${printable(type ?? 'unnamed', 60)}" is ${kind ?? 'a multimodal model'}`;
    const why = `${what}. Its language model (${show(config.text_config.model_type)}) is nested in text_config`;
    return { why, action: `Open the language model on its own. ${action}` };
  }
  if (family === undefined) {
    if (type === undefined) return { why: `its config names no ${field}`, action };
    const named = `"${printable(type, 60)}"`;
    return { why: kind ? `${named} is ${kind}` : `${field} ${named} is not supported`, action };
  }
  if (hasOtherPart(config)) return { why: 'it has a part for images or sound besides its language model', action };
  return oddClass(config) ?? family;
}

/** A class that is not a language model. */
function oddClass({ architectures: classes }: Config): Unsupported | undefined {
  if (!Array.isArray(classes) || classes.length === 0) return undefined;
  if (classes.some((name) => typeof name === 'string' && name.endsWith('ForCausalLM'))) return undefined;
  return {
    why: `it is a ${show(classes[0])}, not a causal language model`,
    action: 'Open the …ForCausalLM version of the model.',
  };
}

function show(value: unknown): string {
  return typeof value === 'string' ? printable(value, 60) : 'unnamed';
}

function readDimensions(config: Config, family: ModelFamily): Architecture | Unsupported {
  const { defaults } = family;
  const blocks = count(config, 'num_hidden_layers', MAX_DIMENSION.blocks);
  const hidden = count(config, 'hidden_size', MAX_DIMENSION.hidden);
  const heads = count(config, 'num_attention_heads', MAX_DIMENSION.heads);
  // Null means one key-value head per query head; only an absent field takes the default.
  const kvDefault = 'num_key_value_heads' in config ? heads : (defaults.kvHeads ?? heads);
  const kvHeads = count(config, 'num_key_value_heads', MAX_DIMENSION.heads, kvDefault);
  if (heads % kvHeads !== 0) {
    throw badField(
      'num_key_value_heads',
      `${counted(kvHeads, 'key-value head')} cannot be shared by ${counted(heads, 'query head')}`,
    );
  }
  const headDim = readHeadDim(config, hidden, heads, defaults.headDim);
  const context = count(config, 'max_position_embeddings', MAX_DIMENSION.context, defaults.context);
  const ffn = count(config, 'intermediate_size', MAX_DIMENSION.ffn);
  const common = { blocks, hidden, context, heads, kvHeads, headDim, ffn };
  const shapes = family.layers(config, common);
  if ('why' in shapes) return shapes;
  const style = family.style?.(config, common) ?? PLAIN_STYLE;
  if ('why' in style) return style;
  const layers = isRagged(config) ? raggedLayers(config, shapes) : shapes;
  const vocabulary = count(config, 'vocab_size', MAX_DIMENSION.vocabulary);
  return {
    family: family.modelType,
    layers,
    style,
    hidden,
    vocabulary,
    context,
    rmsNormEps: atLeastZero(config, 'rms_norm_eps', defaults.eps ?? DEFAULT_EPS),
    tied: flag(config, 'tie_word_embeddings', defaults.tied ?? false),
    ...readSpecialTokens(config, defaults, vocabulary),
  };
}

function readHeadDim(config: Config, hidden: number, heads: number, familyDefault: number | undefined): number {
  // Null means the head's share of the hidden size; only an absent field takes the default.
  const usual = 'head_dim' in config ? undefined : familyDefault;
  if (!isSet(config, 'head_dim') && usual === undefined && hidden % heads !== 0) {
    throw badField(
      'num_attention_heads',
      `${hidden} of hidden_size cannot be shared by ${heads} heads, and head_dim is not given`,
    );
  }
  const headDim = count(config, 'head_dim', MAX_DIMENSION.headDim, usual ?? hidden / heads);
  if (headDim % 2 !== 0) throw badField('head_dim', `a head of ${headDim} cannot be rotated in pairs`);
  return headDim;
}

function readSpecialTokens(
  config: Config,
  defaults: FamilyDefaults,
  vocabulary: number,
): Pick<Architecture, 'bosTokenId' | 'eosTokenIds'> {
  const ids = (field: string, fallback: number | undefined): number[] => {
    if (!(field in config)) return fallback === undefined ? [] : [fallback];
    // Small test models keep the ids of the large vocabulary of their original.
    return tokenIds(config, field).filter((id) => id < vocabulary);
  };
  const bosTokenId = ids('bos_token_id', defaults.bos).at(0);
  return { ...(bosTokenId !== undefined && { bosTokenId }), eosTokenIds: ids('eos_token_id', defaults.eos) };
}
